package main

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
)

// compare says where an answer in JSON differs from what is expected: each member that is named must be there. Numbers,
// also those that are written as text, may differ by tolerance x (1 + |expected|).
func compare(path string, expected, actual any, tolerance float64) error {
	switch expected := expected.(type) {
	case map[string]any:
		members, ok := actual.(map[string]any)
		if !ok {
			return fmt.Errorf("%s is %v, not an object", path, actual)
		}
		// In order, so that the same difference is named each time.
		for _, name := range slices.Sorted(maps.Keys(expected)) {
			value := expected[name]
			found, ok := members[name]
			if !ok && !isDefault(value) {
				return fmt.Errorf("%s.%s is absent, not %v", path, name, value)
			}
			if ok {
				if err := compare(path+"."+name, value, found, tolerance); err != nil {
					return err
				}
			}
		}
		return nil
	case []any:
		elements, ok := actual.([]any)
		if !ok || len(elements) != len(expected) {
			return fmt.Errorf("%s is %v, not %d elements", path, actual, len(expected))
		}
		for i, value := range expected {
			if err := compare(fmt.Sprintf("%s[%d]", path, i), value, elements[i], tolerance); err != nil {
				return err
			}
		}
		return nil
	}
	wanted, ok1 := number(expected)
	found, ok2 := number(actual)
	if ok1 && ok2 {
		if math.Abs(found-wanted) <= tolerance*(1+math.Abs(wanted)) {
			return nil
		}
	} else if expected == actual {
		return nil
	}
	return fmt.Errorf("%s is %v, not %v", path, actual, expected)
}

// isDefault says whether JSON leaves a value out because it is the default of its field.
func isDefault(value any) bool {
	switch value := value.(type) {
	case float64:
		return value == 0
	case bool:
		return !value
	case string:
		return value == "" || value == "0"
	case []any:
		return len(value) == 0
	}
	return value == nil
}

var decimal = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

func number(value any) (float64, bool) {
	switch value := value.(type) {
	case float64:
		return value, true
	case string:
		if decimal.MatchString(value) {
			parsed, err := strconv.ParseFloat(value, 64)
			return parsed, err == nil
		}
	}
	return 0, false
}

// codeName is the name of a code as the contract writes it: INVALID_ARGUMENT.
func codeName(code codes.Code) string {
	if code == codes.Canceled {
		return "CANCELLED"
	}
	var name strings.Builder
	for i, letter := range code.String() {
		if i > 0 && letter >= 'A' && letter <= 'Z' {
			name.WriteByte('_')
		}
		name.WriteRune(letter)
	}
	return strings.ToUpper(name.String())
}
