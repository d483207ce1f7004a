package handlers

import (
	"encoding/json"
	"errors"
	"testing"
)

type evenNumber int

func (e *evenNumber) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, (*int)(e)) != nil || *e%2 != 0 {
		return errors.New("give an even number")
	}
	return nil
}

// Errors about arguments use the arguments' names, and not Go's names of types.
func TestDecodeArgsNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	type inner struct {
		Deep int `json:"deep"`
	}
	type args struct {
		Name   string     `json:"name"`
		Count  int8       `json:"count"`
		Size   uint16     `json:"size"`
		Ratio  float64    `json:"ratio"`
		Really bool       `json:"really"`
		List   []string   `json:"list"`
		Lists  [][]int    `json:"lists"`
		Map    inner      `json:"map"`
		Even   evenNumber `json:"even"`

		Texts map[string]string `json:"texts"`
	}
	for text, want := range map[string]string{
		`5`:                         "the arguments must be a mapping of names to values, not 5",
		`{"name":[1]}`:              "argument name must be text, not a list",
		`{"count":"x"}`:             `argument count must be a whole number of 8 bits, not "x"`,
		`{"count":300}`:             "argument count must be a whole number of 8 bits, not 300",
		`{"count":1.5}`:             "argument count must be a whole number of 8 bits, not 1.5",
		`{"size":-1}`:               "argument size must be a whole number from 0, of 16 bits, not -1",
		`{"ratio":{}}`:              "argument ratio must be a number, not a mapping",
		`{"really":"yes"}`:          `argument really must be true or false, not "yes"`,
		`{"list":"x"}`:              `argument list must be a list, not "x"`,
		`{"list":["a",true]}`:       "each item of argument list must be text, not true",
		`{"list":[["a"]]}`:          "each item of argument list must be text, not a list",
		`{"map":{"deep":"x"}}`:      `argument map.deep must be a whole number of 64 bits, not "x"`,
		`{"map":{"other":1}}`:       `argument map: unknown field "other"`,
		`{"texts":{"1":"a","2":5}}`: "argument texts.2 must be text, not 5",
		`{"texts":[1]}`:             "argument texts must be a mapping of names to values, not a list",
		`{"even":3}`:                "argument even: give an even number",
		`{"nope":1,"name":2}`: "argument name must be text, not 2\n" +
			`there is no argument "nope"; there are name, count, size, ratio, really, list, lists, map, even, texts`,
	} {
		var given any
		if err := json.Unmarshal([]byte(text), &given); err != nil {
			t.Fatal(err)
		}
		var got args
		err := DecodeArgs(given, &got)
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v\nwant %s", text, err, want)
		}
	}
}

// Some handlers take no arguments at all.
func TestDecodeArgsOfNothing(t *testing.T) {
	t.Parallel()
	err := DecodeArgs(map[string]any{"size": 1}, &struct{}{})
	if want := `there is no argument "size"; there are none`; err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
}
