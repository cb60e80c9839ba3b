package absfin

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	absfinancev1 "example.com/abs-finance/clients/go/absfinance/v1"
)

// Panel is a table of dates by symbols.
type Panel struct {
	Symbols []string
	Dates   []time.Time // midnight in UTC
	Values  [][]float64 // a row for each date; NaN where a value is missing
}

const secondsOfDay = 24 * 60 * 60

// Date is midnight in UTC of a number of days since 1970-01-01.
func Date(days int32) time.Time { return time.Unix(int64(days)*secondsOfDay, 0).UTC() }

// Days is the number of days since 1970-01-01 of a date as its own time zone has it.
func Days(date time.Time) int32 {
	year, month, day := date.Date()
	return int32(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / secondsOfDay)
}

// Proto is the panel as requests take it. It is an error where the rows do not fit to the dates and symbols.
func (p *Panel) Proto() (*absfinancev1.Panel, error) {
	if len(p.Values) != len(p.Dates) {
		return nil, fmt.Errorf("%d rows for %d dates", len(p.Values), len(p.Dates))
	}
	sent := &absfinancev1.Panel{
		Symbols: p.Symbols,
		Dates:   make([]int32, 0, len(p.Dates)),
		Values:  make([]float64, 0, len(p.Dates)*len(p.Symbols)),
	}
	for i, row := range p.Values {
		if len(row) != len(p.Symbols) {
			return nil, fmt.Errorf("row %d has %d values for %d symbols", i, len(row), len(p.Symbols))
		}
		sent.Dates = append(sent.Dates, Days(p.Dates[i]))
		sent.Values = append(sent.Values, row...)
	}
	return sent, nil
}

// Element is the type of the elements of a tensor.
type Element interface {
	float64 | float32 | int32 | int64
}

// Elements decodes a tensor, row by row. It is an error where the tensor has elements of another type, or another number
// of them than its shape says.
func Elements[T Element](tensor *absfinancev1.Tensor) ([]T, error) {
	var zero T
	kind, size := absfinancev1.DataType_DATA_TYPE_FLOAT64, 8
	switch any(zero).(type) {
	case float32:
		kind, size = absfinancev1.DataType_DATA_TYPE_FLOAT32, 4
	case int32:
		kind, size = absfinancev1.DataType_DATA_TYPE_INT32, 4
	case int64:
		kind = absfinancev1.DataType_DATA_TYPE_INT64
	}
	if tensor.GetDtype() != kind {
		return nil, fmt.Errorf("the tensor has elements of %v, not of %T", tensor.GetDtype(), zero)
	}
	if err := checkShape(tensor, size); err != nil {
		return nil, err
	}
	elements := make([]T, len(tensor.GetData())/size)
	if _, err := binary.Decode(tensor.GetData(), binary.LittleEndian, elements); err != nil {
		return nil, err
	}
	return elements, nil
}

// checkShape compares the shape of a tensor with its number of bytes; a product that is beyond that number stops it.
func checkShape(tensor *absfinancev1.Tensor, size int) error {
	length := int64(len(tensor.GetData()))
	expected := int64(size)
	for _, axis := range tensor.GetShape() {
		if axis < 0 || (axis > 0 && expected > math.MaxInt64/axis) {
			return fmt.Errorf("a tensor of shape %v cannot be", tensor.GetShape())
		}
		expected *= axis
	}
	if expected != length {
		return fmt.Errorf("a tensor of shape %v has %d bytes, not %d", tensor.GetShape(), length, expected)
	}
	return nil
}

// Matrix decodes a tensor of float64 with one or two axes; one axis is one column.
func Matrix(tensor *absfinancev1.Tensor) ([][]float64, error) {
	elements, err := Elements[float64](tensor)
	if err != nil {
		return nil, err
	}
	columns := int64(1)
	switch shape := tensor.GetShape(); len(shape) {
	case 1:
	case 2:
		columns = shape[1]
		if columns == 0 && shape[0] > 0 { // no bytes would pay for the rows
			return nil, fmt.Errorf("a tensor of shape %v has no columns", shape)
		}
	default:
		return nil, fmt.Errorf("a tensor of shape %v is no matrix", shape)
	}
	rows := make([][]float64, tensor.GetShape()[0])
	for i := range rows {
		rows[i] = elements[int64(i)*columns : (int64(i)+1)*columns : (int64(i)+1)*columns]
	}
	return rows, nil
}

// BacktestSeries is a series of a finished backtest; one that is not by asset has one column, "value".
func (c *Client) BacktestSeries(ctx context.Context, request *absfinancev1.GetBacktestSeriesRequest) (*Panel, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.Backtests.GetBacktestSeries(ctx, request)
	if err != nil {
		return nil, err
	}
	panel := &Panel{Symbols: []string{"value"}}
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return panel, nil
		}
		if err != nil {
			return nil, err
		}
		if symbols := part.GetHeader().GetSymbols(); len(symbols) > 0 {
			panel.Symbols = symbols
		}
		if rows := part.GetRows(); rows != nil {
			if err := panel.add(rows.GetDates(), rows.GetValues()); err != nil {
				return nil, err
			}
		}
	}
}

// Prices are those that are stored.
func (c *Client) Prices(ctx context.Context, request *absfinancev1.GetPricesRequest) (*Panel, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.MarketData.GetPrices(ctx, request)
	if err != nil {
		return nil, err
	}
	panel := &Panel{}
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return panel, nil
		}
		if err != nil {
			return nil, err
		}
		if header := part.GetHeader(); header != nil {
			panel.Symbols = header.GetSymbols()
		}
		if rows := part.GetRows(); rows != nil {
			if err := panel.add(rows.GetDates(), rows.GetValues()); err != nil {
				return nil, err
			}
		}
	}
}

func (p *Panel) add(dates []int32, values *absfinancev1.Tensor) error {
	rows, err := Matrix(values)
	if err != nil {
		return err
	}
	if len(rows) != len(dates) {
		return fmt.Errorf("%d rows for %d dates", len(rows), len(dates))
	}
	for _, days := range dates {
		p.Dates = append(p.Dates, Date(days))
	}
	p.Values = append(p.Values, rows...)
	return nil
}

// RiskModel is an estimate with the arrays that the server sent, row by row; one of one axis has one column.
type RiskModel struct {
	Diagnostics *absfinancev1.EstimateRiskModelResponse_Diagnostics
	Arrays      map[absfinancev1.EstimateRiskModelResponse_Chunk_Array][][]float64
}

// EstimateRiskModel joins the pieces of a risk model.
func (c *Client) EstimateRiskModel(
	ctx context.Context, request *absfinancev1.EstimateRiskModelRequest,
) (*RiskModel, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.Risk.EstimateRiskModel(ctx, request)
	if err != nil {
		return nil, err
	}
	model := &RiskModel{Arrays: map[absfinancev1.EstimateRiskModelResponse_Chunk_Array][][]float64{}}
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return model, nil
		}
		if err != nil {
			return nil, err
		}
		if diagnostics := part.GetDiagnostics(); diagnostics != nil {
			model.Diagnostics = diagnostics
		}
		if chunk := part.GetChunk(); chunk != nil {
			rows, err := Matrix(chunk.GetRows())
			if err != nil {
				return nil, err
			}
			if have := int64(len(model.Arrays[chunk.GetArray()])); have != chunk.GetFirstRow() {
				return nil, fmt.Errorf("%v: row %d came after %d rows", chunk.GetArray(), chunk.GetFirstRow(), have)
			}
			model.Arrays[chunk.GetArray()] = append(model.Arrays[chunk.GetArray()], rows...)
		}
	}
}
