package load

import (
	"fmt"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

func TestInfer(t *testing.T) {
	content := "\ufeff" + strings.Join([]string{
		`{"id":1,"f":1,"big":1,"mixed":1,"s":"x","b":true,"t":"2024-01-02T03:04:05Z","d":"2024-01-02","tree":null,"n":null}`,
		"", "no JSON", `[1]`, `{"drop":"other"}`,
		`{"id":-2,"f":1.5,"big":9223372036854775808,"mixed":"1","s":null,"b":false,"t":"2024-01-02 03:04:05","tree":[1],"late":{"k":1}}`,
		`{"cut":`,
	}, "\r\n")
	fields, err := inferred(t, content, nil, "id")
	testkit.Must(t, err)
	want := "[id=id:int f=f:float big=big:decimal mixed=mixed:text s=s:text b=b:bool t=t:time d=d:text tree=tree:json n=n:text late=late:json]"
	if got := fmt.Sprint(fields); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	mapping := []Mapping{{"a", []string{"late", "k"}, ""}, {"c", []string{"id"}, "text"}}
	if fields, err = inferred(t, content, mapping, ""); err != nil || fmt.Sprint(fields) != "[a=late.k:int c=id:text]" {
		t.Errorf("got %v, %v", fields, err)
	}
	if mapping[0].Kind != "" {
		t.Error("the caller's mapping was changed")
	}
}

// A column gets a type that keeps each value of the first lines as it is.
func TestInferredTypesKeepEveryDigit(t *testing.T) {
	for values, want := range map[string]string{
		"1 9223372036854775807":                   "int",
		"1 9223372036854775808":                   "decimal",
		"1.5 1e3 9007199254740992":                "float",
		"1.5 9007199254740993":                    "decimal",
		"0.12345678901234567890":                  "decimal",
		"0.123456789012345678901":                 "text",
		"1e3 9007199254740993":                    "text",
		"1e999":                                   "text",
		"1" + strings.Repeat("0", 45):             "text",
		`"2024-01-02T03:04:05.123456Z"`:           "time",
		`"2024-01-02T03:04:05.1234560Z"`:          "time",
		`"2024-01-02T03:04:05.123456789Z"`:        "text",
		`"2024-01-02T03:04:05+00:00"`:             "time",
		`"2024-01-02T03:04:05+02:00"`:             "text",
		`"0024-01-02T03:04:05Z"`:                  "text",
		`"2024-01-02T03:04:05Z" "2024-01-02T03Z"`: "text",
	} {
		var lines strings.Builder
		for value := range strings.FieldsSeq(values) {
			fmt.Fprintf(&lines, "{\"v\":%s}\n", value)
		}
		fields, err := inferred(t, lines.String(), nil, "")
		if err != nil || len(fields) != 1 || string(fields[0].Kind) != want {
			t.Errorf("%s: %v, %v; want %s", values, fields, err, want)
		}
	}
}

func TestInferRefuses(t *testing.T) {
	many := make([]string, 600)
	for i := range many {
		many[i] = fmt.Sprintf(`"m%d":1`, i)
	}
	for want, content := range map[string]string{
		"no line is JSON":                          "no JSON\n",
		"lines: the compressed content is damaged": string(gzipped(t, strings.Repeat("{\"a\":1}\n", 9)))[:12],
		"not objects":                              "[1]\n",
		"more than 500 different members":          "{" + strings.Join(many, ",") + "}\n",
		"is not a name":                            `{"":1}`,
		"longer than 64":                           `{"` + strings.Repeat("x", 65) + `":1}`,
	} {
		if _, err := inferred(t, content, nil, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func inferred(t *testing.T, content string, mapping []Mapping, keyword string) ([]Mapping, error) {
	t.Helper()
	p := &Plan{Map: mapping, LineContains: keyword}
	err := p.InferColumns(t.Context(), &LineFiles{Paths: []string{testkit.WriteFileIn(t, t.TempDir(), "lines", content)}})
	return p.Map, err
}

// Members and values count that come late, or in another file only.
func TestInferLooksAtAllLinesOfAllFiles(t *testing.T) {
	dir := t.TempDir()
	testkit.WriteFileIn(t, dir, "a", strings.Repeat("{\"id\":1}\n", 100_000)+`{"id":2,"late":1}`)
	testkit.WriteFileIn(t, dir, "b", string(gzipped(t, `{"other":true,"id":1.5}`+"\n"+`{"id":"x","cut":`)))
	p := &Plan{}
	testkit.Must(t, p.InferColumns(t.Context(), &LineFiles{Paths: []string{dir}}))
	if got := fmt.Sprint(p.Map); got != "[id=id:float late=late:int other=other:bool]" {
		t.Error(got)
	}
	testkit.WriteFileIn(t, dir, "c", `{"id":"a bad line","late":9223372036854775808,"other":"x"}`)
	p = &Plan{}
	testkit.Must(t, p.InferColumns(t.Context(), &LineFiles{Paths: []string{dir}}))
	if got := fmt.Sprint(p.Map); got != "[id=id:float late=late:decimal other=other:text]" {
		t.Error(got)
	}
	if err := (&Plan{}).InferColumns(t.Context(), &LineFiles{Paths: []string{t.TempDir()}}); err == nil || !strings.Contains(err.Error(), "no file has content") {
		t.Error(err)
	}
}

// Errors about a recipe's arguments use the words of the recipe.
func TestArgumentsOfAnotherType(t *testing.T) {
	for want, args := range map[string]any{
		"argument into must be text, not 5":             map[string]any{"into": 5},
		`argument map must be a list, not "id"`:         map[string]any{"into": "t", "map": "id"},
		"each item of argument key must be text, not 1": map[string]any{"into": "t", "key": []any{1}},
	} {
		if _, err := readPlan(args); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%v: %v, want %s", args, err, want)
		}
	}
}
