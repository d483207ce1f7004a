package handlers

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// streams are bytes as programs write them: text, with now and then a broken
// or NUL byte or a wide character among them.
func streams() *rapid.Generator[[]byte] {
	piece := rapid.OneOf(
		rapid.Map(rapid.StringN(0, 40, 200), func(s string) []byte { return []byte(s) }),
		rapid.SliceOfN(rapid.Byte(), 0, 6),
		rapid.Just([]byte("é€😀")),
		rapid.Just([]byte{0}),
	)
	return rapid.Map(rapid.SliceOfN(piece, 0, 60), func(ps [][]byte) []byte {
		var all []byte
		for _, p := range ps {
			all = append(all, p...)
		}
		return all
	})
}

func writtenWhole(limit int, p []byte) (string, bool) {
	c := newOutput(limit)
	c.write(p)
	return c.text()
}

func TestOutputDoesNotDependOnHowItIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := streams().Draw(t, "stream")
		limit := rapid.IntRange(256, 700).Draw(t, "limit")
		want, wantCut := writtenWhole(limit, all)
		c := newOutput(limit)
		for rest := all; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "n")
			c.write(rest[:n])
			if rapid.Bool().Draw(t, "look") {
				c.text() // looking changes nothing
			}
			rest = rest[n:]
		}
		got, cut := c.text()
		if got != want || cut != wantCut {
			t.Fatalf("in pieces %q %v, at once %q %v", got, cut, want, wantCut)
		}
	})
}

func TestOutputKeepsHeadAndTailWithinTheLimit(t *testing.T) {
	marker := regexp.MustCompile(`\n\[… (\d+) bytes left out …\]\n`)
	rapid.Check(t, func(t *rapid.T) {
		all := streams().Draw(t, "stream")
		limit := rapid.IntRange(256, 700).Draw(t, "limit")
		whole := string(appendClean(nil, all))
		got, cut := writtenWhole(limit, all)
		if !utf8.ValidString(got) || strings.ContainsRune(got, 0) {
			t.Fatalf("not clean: %q", got)
		}
		if !cut {
			if got != whole || len(whole) > limit {
				t.Fatalf("got %q of %q", got, whole)
			}
			return
		}
		if len(got) > limit || len(got) < limit-2*maxMarker || len(whole) <= limit {
			t.Fatalf("%d bytes of %d, limit %d", len(got), len(whole), limit)
		}
		at := marker.FindAllStringSubmatchIndex(got, -1)
		if len(at) == 0 {
			t.Fatalf("no marker in %q", got)
		}
		mid := at[len(at)/2]
		left, _ := strconv.Atoi(got[mid[2]:mid[3]])
		head, tail := got[:mid[0]], got[mid[1]:]
		if !strings.HasPrefix(whole, head) || !strings.HasSuffix(whole, tail) || len(head)+left+len(tail) != len(whole) {
			t.Fatalf("%d + %d + %d bytes of %d", len(head), left, len(tail), len(whole))
		}
	})
}

func TestOutputCutsBetweenCharacters(t *testing.T) {
	for _, char := range []string{"é", "€", "😀"} {
		for shift := range len(char) {
			in := strings.Repeat("x", shift) + strings.Repeat(char, 300) + strings.Repeat("x", shift)
			if got, cut := writtenWhole(minOutput, []byte(in)); !cut || !utf8.ValidString(got) {
				t.Errorf("%s shifted by %d: cut %v, %q", char, shift, cut, got)
			}
		}
	}
}

func TestOutputStaysSmall(t *testing.T) {
	c := newOutput(1 << 10)
	junk := make([]byte, 1<<20)
	for i := range junk {
		junk[i] = byte(i * 7)
	}
	for range 20 {
		c.write(junk)
	}
	if held := cap(c.head) + cap(c.tail) + cap(c.pending); held > 4<<10 {
		t.Errorf("holds %d bytes for a limit of 1024", held)
	}
}

func TestOutputLimits(t *testing.T) {
	for limit, want := range map[int]int{0: DefaultMaxOutput, -1: DefaultMaxOutput, 1: minOutput, 5000: 5000} {
		if got := newOutput(limit).limit; got != want {
			t.Errorf("limit %d became %d, want %d", limit, got, want)
		}
	}
}

func TestCleaning(t *testing.T) {
	for in, want := range map[string]string{
		"plain":          "plain",
		"a\x00b":         "a\uFFFDb",
		"\xff\xfe":       "\uFFFD\uFFFD",
		"ok \xe2\x82":    "ok \uFFFD\uFFFD", // a character that never ends
		"kept \uFFFD":    "kept \uFFFD",
		"\xed\xa0\x80 x": "\uFFFD\uFFFD\uFFFD x", // half of a surrogate pair
	} {
		if got, _ := writtenWhole(0, []byte(in)); got != want {
			t.Errorf("%q gave %q, want %q", in, got, want)
		}
	}
}

func FuzzOutput(f *testing.F) {
	f.Add([]byte("a\xf0\x9f\x98\x80"), 2)
	f.Fuzz(func(t *testing.T, p []byte, at int) {
		at = min(max(at, 0), len(p))
		c := newOutput(256)
		c.write(p[:at])
		c.write(p[at:])
		got, cut := c.text()
		want, wantCut := writtenWhole(256, p)
		if got != want || cut != wantCut {
			t.Fatalf("%q against %q", got, want)
		}
	})
}
