package tasks

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

// scanFile reads what encoding/json reads.
func FuzzScanFile(f *testing.F) {
	for _, n := range []string{"0", "7", "007", "", "-1", "1.5", "1e3", "999999999999999999", "9223372036854775807", "9223372036854775808", `"7"`} {
		f.Add(fmt.Appendf(nil, `{"v":1,"transfer":12,"step":2,"file":%s,"bytes":99}`, n))
		f.Add(fmt.Appendf(nil, `{"v":1,"transfer":12,"step":2,"file":7,"bytes":%s}`, n))
	}
	f.Add([]byte(`{"v":1,"transfer":12,"step":2,"file":7,"bytes":99}}`))
	f.Add([]byte(`{"v":1,"transfer":12,"step":2,"file":7,"bytes":99`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		m, ok := scanFile(payload)
		if !ok {
			return
		}
		if want, err := decode[FileMessage](payload); err != nil || m != want {
			t.Errorf("%s: %+v, but encoding/json reads %+v, %v", payload, m, want, err)
		}
	})
}

func TestFileMessageIsJSON(t *testing.T) {
	for _, m := range []FileMessage{
		{},
		{V: 1, Transfer: 12, Step: 2, File: 7, Bytes: 99},
		{V: 1, Transfer: math.MaxInt64, Step: math.MaxInt32, File: math.MaxInt64, Bytes: math.MaxInt64},
		{V: 1, Transfer: -1, Step: -2, File: math.MinInt64, Bytes: 0},
	} {
		want, err := json.Marshal(m)
		testkit.Must(t, err)
		if got := m.Encode(); string(got) != string(want) {
			t.Errorf("%+v is %s, want %s", m, got, want)
		}
	}
	if m, ok := scanFile(FileMessage{V: 1, Transfer: 12, Step: 2, File: 7, Bytes: 99}.Encode()); !ok || m.File != 7 {
		t.Errorf("scanFile does not read its own form: %+v", m)
	}
}
