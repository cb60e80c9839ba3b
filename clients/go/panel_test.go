package absfin_test

import (
	"math"
	"reflect"
	"testing"
	"time"

	absfin "example.com/abs-finance/clients/go"
	absfinancev1 "example.com/abs-finance/clients/go/absfinance/v1"
)

func tensor(kind absfinancev1.DataType, data []byte, shape ...int64) *absfinancev1.Tensor {
	return &absfinancev1.Tensor{Shape: shape, Dtype: kind, Data: data}
}

var oneAndTwo = []byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0x40} // little-endian binary64

func TestTensorsAreDecodedByTheirType(t *testing.T) {
	const float64s, int32s = absfinancev1.DataType_DATA_TYPE_FLOAT64, absfinancev1.DataType_DATA_TYPE_INT32
	if found, err := absfin.Elements[float64](tensor(float64s, oneAndTwo, 2)); err != nil || !reflect.DeepEqual(found, []float64{1, 2}) {
		t.Error(found, err)
	}
	if found, err := absfin.Elements[int32](tensor(int32s, []byte{255, 255, 255, 255}, 1, 1)); err != nil || found[0] != -1 {
		t.Error(found, err)
	}
	if found, err := absfin.Matrix(tensor(float64s, oneAndTwo, 1, 2)); err != nil || !reflect.DeepEqual(found, [][]float64{{1, 2}}) {
		t.Error(found, err)
	}
	if found, err := absfin.Matrix(tensor(float64s, oneAndTwo, 2)); err != nil || !reflect.DeepEqual(found, [][]float64{{1}, {2}}) {
		t.Error(found, err)
	}
	for name, wrong := range map[string]*absfinancev1.Tensor{
		"another type":    tensor(int32s, oneAndTwo, 4),
		"too few bytes":   tensor(float64s, oneAndTwo[:15], 2),
		"another shape":   tensor(float64s, oneAndTwo, 3),
		"a negative axis": tensor(float64s, oneAndTwo, -1, -2),
		"an overflow":     tensor(float64s, nil, math.MaxInt64, 4),
		"a cube":          tensor(float64s, oneAndTwo, 1, 1, 2),
		"no columns":      tensor(float64s, nil, math.MaxInt64, 0),
		"empty":           nil,
	} {
		if found, err := absfin.Matrix(wrong); err == nil {
			t.Errorf("%s was decoded as %v", name, found)
		}
	}
}

func TestAPanelIsSentRowByRow(t *testing.T) {
	dates := []time.Time{absfin.Date(-1), time.Date(1970, 1, 2, 23, 30, 0, 0, time.FixedZone("", -5*3600))}
	panel := &absfin.Panel{Symbols: []string{"A", "B"}, Dates: dates, Values: [][]float64{{1, 2}, {3, math.NaN()}}}
	sent, err := panel.Proto()
	if err != nil || !reflect.DeepEqual(sent.GetDates(), []int32{-1, 1}) || len(sent.GetValues()) != 4 || sent.GetValues()[2] != 3 {
		t.Error(sent, err)
	}
	panel.Values[1] = []float64{3}
	if _, err := panel.Proto(); err == nil {
		t.Error("a row is too short")
	}
	panel.Values = panel.Values[:1]
	if _, err := panel.Proto(); err == nil {
		t.Error("a row is missing")
	}
}
