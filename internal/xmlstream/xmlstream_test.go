package xmlstream

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestWriter(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	x := New(&out)
	x.Start("a", "b", `"<&`, "none", "")
	x.Text("c", "<\x1b\xff\uffff\n")
	x.Empty("d", "e", "f")
	x.End()
	want := "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a b=\"&#34;&lt;&amp;\">\n <c>&lt;\\x1b\\xff\\uffff&#xA;</c>\n <d e=\"f\"/>\n</a>\n"
	if got := out.String(); got != want || x.Err() != nil {
		t.Errorf("%q, %v; want %q", got, x.Err(), want)
	}
}

func FuzzAnyTextGivesADocument(f *testing.F) {
	f.Add("\x00\ufffe]]>&")
	f.Fuzz(func(t *testing.T, text string) {
		var out strings.Builder
		x := New(&out)
		x.Start("a", "b", text)
		x.Text("c", text)
		x.End()
		d := xml.NewDecoder(strings.NewReader(out.String()))
		for {
			switch _, err := d.Token(); {
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				t.Fatalf("%q: %v", text, err)
			}
		}
	})
}

type broken struct{ n int }

func (b *broken) Write(p []byte) (int, error) {
	if b.n++; b.n > 3 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func TestWriterKeepsTheFirstError(t *testing.T) {
	t.Parallel()
	b := &broken{}
	x := New(b)
	x.Start("a")
	x.Text("b", "c")
	x.End()
	if !errors.Is(x.Err(), io.ErrShortWrite) || b.n != 4 {
		t.Errorf("%v after %d writes", x.Err(), b.n)
	}
}
