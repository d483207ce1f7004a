package bench

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRecordsAreWrittenAsTheyAreInserted(t *testing.T) {
	t.Parallel()
	const records = 200
	path := filepath.Join(t.TempDir(), "records.jsonl")
	size, err := writeRecords(t.Context(), path, records)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if int(size) != len(text) {
		t.Errorf("said to have %d bytes, has %d", size, len(text))
	}
	parsed, made := &inserter{head: intoRecords}, &inserter{head: intoRecords}
	var next int64
	passed, shortest, longest := 0, len(text), 0
	for l := range bytes.Lines(text) {
		shortest, longest = min(shortest, len(l)), max(longest, len(l))
		if !bytes.Contains(l, []byte(keyword)) {
			passed++
			continue
		}
		var r record
		if err := json.Unmarshal(l, &r); err != nil {
			t.Fatal(err)
		}
		parsed.record(&r)
		r, _ = recordOf(next)
		made.record(&r)
		next++
	}
	if next != records || passed != records/heartbeatAfter {
		t.Errorf("%d records, %d lines to pass over", next, passed)
	}
	if shortest < 300 || longest > 600 {
		t.Errorf("lines of %d to %d bytes, want 300 to 600", shortest, longest)
	}
	if parsed.statement() != made.statement() {
		t.Error("what is parsed from the file is not what is inserted without it")
	}
}

func TestRecordsInSQL(t *testing.T) {
	t.Parallel()
	r := record{
		ID: 7, Domain: "a.example", SeenAt: time.Date(2016, 3, 1, 12, 0, 0, 5_000_000, time.UTC), Address: "198.51.100.1", Country: "DE",
		ASN: 64_512, Score: 0.25, Secure: true, Certificate: certificate{"C"}, Note: `it's \ "so"`,
	}
	i := &inserter{head: "INSERT (x"}
	i.record(&r)
	i.record(&r)
	want := `(7,'a.example','2016-03-01 12:00:00.005000','198.51.100.1','DE',64512,0.25,true,'C','it\'s \\ "so"')`
	if got := i.statement(); got != "INSERT (x) VALUES "+want+","+want {
		t.Errorf("got %s, want the head and twice %s", got, want)
	}
}

func TestReadChunksHandsOutEachLineOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "in.jsonl")
	var text, want strings.Builder
	for i := range 2*limitRows + 10 {
		line := keyword + strings.Repeat("x", i%50)
		text.WriteString(line + "\npassed over\n")
		want.WriteString(line + ";")
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	chunks := make(chan [][]byte, 10)
	if err := readChunks(t.Context(), path, chunks); err != nil {
		t.Fatal(err)
	}
	close(chunks)
	var got strings.Builder
	var sizes []int
	for lines := range chunks {
		sizes = append(sizes, len(lines))
		for _, l := range lines {
			got.Write(append(slices.Clip(l), ';'))
		}
	}
	if len(sizes) != 3 || sizes[0] != limitRows || sizes[1] != limitRows || sizes[2] != 10 {
		t.Errorf("chunks of %v", sizes)
	}
	if got.String() != want.String() {
		t.Error("the lines are not those of the file")
	}
}

func TestLoadRowsAndTarget(t *testing.T) {
	t.Parallel()
	of := func(variant Variant, workers, records int, took time.Duration, ofInserts float64) LoadMeasurement {
		m := loading(variant, records, int64(records)*400, workers, took, usage{cpu: map[string]float64{"worker": took.Seconds()}})
		m.RatioToInserts = ofInserts
		return m
	}
	full := of(BaselineLoad, 1, accountRecords, accountTime, 0)
	if full.TimesAccount != 1 {
		t.Errorf("the account's own pace is %v times itself", full.TimesAccount)
	}
	rows := LoadRows([]LoadMeasurement{
		of(InsertVariant, 1, 1000, time.Second, 0), of(LoadVariantCLI, 1, 1000, 2*time.Second, 0.5), of(LoadVariantCLI, 2, 1000, time.Second, 0.71),
		of(LoadVariantCLI, 1, 1000, 4*time.Second, 0.25), of(LoadVariantCLI, 1, 1000, 2500*time.Millisecond, 0.4),
	})
	if len(rows) != 3 {
		t.Fatalf("%d rows of 3 kinds", len(rows))
	}
	r := rows[1]
	if r.Seconds != 2.5 || r.RecordsPerSecond != 400 || r.Slowest != 250 || r.Fastest != 500 || r.RatioToInserts != 0.4 ||
		r.MBPerSecond != 0.16 || r.CPUSeconds["worker"] != 2.5 {
		t.Errorf("%+v", r)
	}
	if targets := LoadTargets(rows); len(targets) != 1 || !targets[0].Met || targets[0].Got != 0.71 {
		t.Errorf("%+v", targets)
	}
	if targets := LoadTargets(rows[:2]); len(targets) != 1 || targets[0].Met {
		t.Errorf("%+v", targets)
	}
	if targets := LoadTargets(rows[:1]); targets != nil {
		t.Errorf("a target without what it is about: %+v", targets)
	}
}
