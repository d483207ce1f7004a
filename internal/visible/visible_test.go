package visible

import "testing"

func TestText(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"plain ü 漢": "plain ü 漢", "\x1b[31m": `\x1b[31m`, "a\u202eb": `a\u202eb`, "\xff\x01": `\xff\x01`, "\n\t": `\n\t`, "'\\": `'\`, "\u00a0": `\u00a0`,
	} {
		if got := Text(s); got != want {
			t.Errorf("%q became %q, want %q", s, got, want)
		}
	}
	if got := Lines("a\n\tb\r\x05"); got != "a\n    b\\r\\x05" {
		t.Errorf("lines became %q", got)
	}
}
