package tasks

import (
	"encoding/json"
	"testing"
)

func TestParseSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Size{
		"0": 0, "65536": 65536, "64KiB": 65536, "64 kib": 65536, "64k": 64000, "64kB": 64000, "1.5 GiB": 3 << 29, "4GiB": 4 << 30,
		"8TiB": 8 << 40, "1PB": 1e15, "12B": 12, "0.5KiB": 512, "8388607TiB": 8388607 << 40,
	} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("%q is %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-1", "KiB", "4GiBs", "4 Gi B", "1..5MB", "iB", "4iB", "8388608TiB", "9223372036854775808", "9e999", "NaN", "many"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("%q is %d, want an error", text, got)
		}
	}
}

func TestSizeInJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Size{`4096`: 4096, `"4KiB"`: 4096, `-1`: -1} {
		var got Size
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s is %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{`"4 apples"`, `1.5`, `{}`, `true`, `""`} {
		var got Size
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s is %d, want an error", text, got)
		}
	}
}
