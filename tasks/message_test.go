package tasks_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/tasks"
)

func TestMessagesAreSmallAndReadable(t *testing.T) {
	batch := &tasks.Batch{ID: 88, Transfer: 12, Step: 1, Attempt: 1, Files: tasks.Ranges{{First: 1, Last: 500}, {First: 503, Last: 503}}}
	want := `{"v":1,"batch":88,"transfer":12,"step":1,"attempt":1,"files":"1-500,503"}`
	if got := string(tasks.NewBatchMessage(batch).Encode()); got != want {
		t.Errorf("batch message %s\n         want %s", got, want)
	}
	file := tasks.NewFileMessage(12, 2, &tasks.File{No: 7, Path: "/secret", Size: 99})
	want = `{"v":1,"transfer":12,"step":2,"file":7,"bytes":99}`
	if got := string(file.Encode()); got != want {
		t.Errorf("file message %s\n        want %s", got, want)
	}
}

func TestMessagesSurviveEncoding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Int64Min(1)
		batch := tasks.NewBatchMessage(&tasks.Batch{
			ID: number.Draw(t, "batch"), Transfer: number.Draw(t, "transfer"),
			Step: rapid.IntMin(1).Draw(t, "step"), Attempt: rapid.IntMin(1).Draw(t, "attempt"),
			Files: tasks.NewRanges(rapid.SliceOf(rapid.Int64Range(1, 1000)).Draw(t, "files")),
		})
		if got, err := tasks.DecodeBatch(batch.Encode()); err != nil || got != batch {
			t.Errorf("%+v came back as %+v, %v", batch, got, err)
		}
		file := tasks.NewFileMessage(number.Draw(t, "transfer"), rapid.IntMin(1).Draw(t, "step"),
			&tasks.File{No: rapid.Int64Range(1, 1<<60).Draw(t, "file"), Size: rapid.Int64Min(0).Draw(t, "size")})
		if got, err := tasks.DecodeFile(file.Encode()); err != nil || got != file {
			t.Errorf("%+v came back as %+v, %v", file, got, err)
		}
	})
}

// notMessages are payloads that neither decoder takes.
func notMessages() map[string]string {
	return map[string]string{
		"nothing":         ``,
		"no JSON":         `batch 88`,
		"half":            `{"v":1,"batch":88`,
		"null":            `null`,
		"a list":          `[]`,
		"an empty object": `{}`,
		"too long":        `{"v":1,"files":"` + strings.Repeat("1,", 1<<20) + `"}`,
		"bytes":           "\xff\xfe\x00",
	}
}

// However many files a batch has, its message is small, and lists its first files.
func TestMessageOfManyFiles(t *testing.T) {
	numbers := make([]int64, 100_000)
	for i := range numbers {
		numbers[i] = 1<<59 + int64(i)*2
	}
	m := tasks.NewBatchMessage(&tasks.Batch{ID: math.MaxInt64, Transfer: math.MaxInt64, Step: 1, Attempt: 1, Files: tasks.NewRanges(numbers)})
	if n := len(m.Encode()); n > tasks.MaxPayload || !strings.HasSuffix(m.Files, ",…") {
		t.Errorf("%d bytes, files %s", n, m.Files)
	}
	if got, err := tasks.DecodeBatch(m.Encode()); err != nil || got != m {
		t.Errorf("came back as %+v, %v", got, err)
	}
	some := m.SomeFiles()
	if some.Len() < 40 || !slices.Equal(slices.Collect(some.All()), numbers[:some.Len()]) {
		t.Errorf("lists %v", some)
	}
	for files, want := range map[string]string{"1-100000": "1-256", "3-4,9": "3-4,9", "1-200,300-400": "1-200,300-355", "x": "", "": ""} {
		if got := (tasks.BatchMessage{Files: files}).SomeFiles().String(); got != want {
			t.Errorf("of %q it lists %q, want %q", files, got, want)
		}
	}
}

func TestDecodeBatchRefuses(t *testing.T) {
	const good = `{"v":1,"batch":88,"transfer":12,"step":1,"attempt":1,"files":"1"}`
	if _, err := tasks.DecodeBatch([]byte(good)); err != nil {
		t.Fatalf("%s: %v", good, err)
	}
	bad := notMessages()
	bad["another version"] = strings.Replace(good, `"v":1`, `"v":2`, 1)
	bad["no version"] = strings.Replace(good, `"v":1,`, ``, 1)
	bad["batch 0"] = strings.Replace(good, `88`, `0`, 1)
	bad["a negative transfer"] = strings.Replace(good, `12`, `-12`, 1)
	bad["no step"] = strings.Replace(good, `"step":1,`, ``, 1)
	bad["no attempt"] = strings.Replace(good, `"attempt":1,`, ``, 1)
	bad["an unknown field"] = strings.Replace(good, `"v":1`, `"v":1,"x":1`, 1)
	bad["a text for a number"] = strings.Replace(good, `88`, `"88"`, 1)
	bad["a fraction"] = strings.Replace(good, `88`, `8.8`, 1)
	bad["twice"] = good + good
	bad["brace"] = good + "}"
	bad["bracket"] = good + "]"
	for name, payload := range bad {
		if m, err := tasks.DecodeBatch([]byte(payload)); !errors.Is(err, tasks.ErrForeignMessage) {
			t.Errorf("%s gave %+v, %v", name, m, err)
		}
	}
}

func TestDecodeFileRefuses(t *testing.T) {
	const good = `{"v":1,"transfer":12,"step":2,"file":7,"bytes":99}`
	if _, err := tasks.DecodeFile([]byte(good)); err != nil {
		t.Fatalf("%s: %v", good, err)
	}
	bad := notMessages()
	bad["another version"] = strings.Replace(good, `"v":1`, `"v":2`, 1)
	bad["transfer 0"] = strings.Replace(good, `12`, `0`, 1)
	bad["no step"] = strings.Replace(good, `"step":2,`, ``, 1)
	bad["a negative file"] = strings.Replace(good, `7`, `-7`, 1)
	bad["negative bytes"] = strings.Replace(good, `99`, `-1`, 1)
	bad["a batch message"] = `{"v":1,"batch":88,"transfer":12,"step":1,"attempt":1,"files":"1"}`
	bad["twice"] = good + " " + good
	bad["brace"] = good + "}"
	bad["bracket"] = good + "]"
	for name, payload := range bad {
		if m, err := tasks.DecodeFile([]byte(payload)); !errors.Is(err, tasks.ErrForeignMessage) {
			t.Errorf("%s gave %+v, %v", name, m, err)
		}
	}
}

func FuzzDecodeBatch(f *testing.F) {
	f.Add([]byte(`{"v":1,"batch":88,"transfer":12,"step":1,"attempt":1,"files":"1-500,503"}`))
	for _, payload := range notMessages() {
		f.Add([]byte(payload))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		m, err := tasks.DecodeBatch(payload)
		if err != nil {
			if !errors.Is(err, tasks.ErrForeignMessage) {
				t.Errorf("error %v wraps no ErrForeignMessage", err)
			}
			return
		}
		if back, err := tasks.DecodeBatch(m.Encode()); err != nil || back != m {
			t.Errorf("%+v came back as %+v, %v", m, back, err)
		}
	})
}

func FuzzDecodeFile(f *testing.F) {
	f.Add([]byte(`{"v":1,"transfer":12,"step":2,"file":7,"bytes":99}`))
	for _, payload := range notMessages() {
		f.Add([]byte(payload))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		m, err := tasks.DecodeFile(payload)
		if err != nil {
			if !errors.Is(err, tasks.ErrForeignMessage) {
				t.Errorf("error %v wraps no ErrForeignMessage", err)
			}
			return
		}
		if back, err := tasks.DecodeFile(m.Encode()); err != nil || back != m {
			t.Errorf("%+v came back as %+v, %v", m, back, err)
		}
	})
}
