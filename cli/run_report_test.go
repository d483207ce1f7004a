package cli

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestALongMessageIsClipped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ message, want string }{
		{"", ""}, {"short", "short"}, {strings.Repeat("é", messageShown), strings.Repeat("é", messageShown)},
		{strings.Repeat("日", messageShown+1), strings.Repeat("日", messageShown) + "…"},
		{strings.Repeat("😀", 10<<10), strings.Repeat("😀", messageShown) + "…"},
		{"a" + strings.Repeat("😀", 10<<10), "a" + strings.Repeat("😀", messageShown-1) + "…"},
	} {
		if got := clipped(c.message); got != c.want || !utf8.ValidString(got) {
			t.Errorf("%.20q of %d bytes is %q", c.message, len(c.message), got)
		}
	}
}
