package main

import (
	"encoding/json"
	"testing"

	"google.golang.org/grpc/codes"
)

func TestTheExpectedAnswerIsASubsetWithinTheTolerance(t *testing.T) {
	const actual = `{"a": 1.0000005, "n": "12", "list": [{"x": "S"}], "free": 1, "nan": "NaN"}`
	for expected, same := range map[string]bool{
		`{"a": 1, "n": "12"}`:        true,
		`{"list": [{"x": "S"}]}`:     true,
		`{"nan": "NaN"}`:             true,
		`{"zero": 0, "no": false}`:   true, // defaults are left out
		`{"a": 1.00001}`:             false,
		`{"n": "13"}`:                false,
		`{"list": []}`:               false,
		`{"list": [{"x": "T"}]}`:     false,
		`{"list": [{"x": "S"}, {}]}`: false,
		`{"missing": 1}`:             false,
		`{"nan": 1}`:                 false,
	} {
		var left, right any
		if json.Unmarshal([]byte(expected), &left) != nil || json.Unmarshal([]byte(actual), &right) != nil {
			t.Fatal(expected)
		}
		if err := compare("", left, right, 1e-6); (err == nil) != same {
			t.Errorf("%s: %v", expected, err)
		}
	}
}

func TestCodesHaveTheNamesOfTheContract(t *testing.T) {
	for code, name := range map[codes.Code]string{
		codes.InvalidArgument: "INVALID_ARGUMENT", codes.Canceled: "CANCELLED", codes.Internal: "INTERNAL",
	} {
		if codeName(code) != name {
			t.Error(codeName(code))
		}
	}
}
