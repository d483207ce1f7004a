package extract

import "testing"

// Windows would write a name with a colon into a stream of another file.
func TestNamesThatWindowsForbids(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a.txt:b", "what?", "*", `"a"`, "<a", "a>", "a|b", "a\tb", "\x1f"} {
		if !forbidden(name) {
			t.Errorf("%q is allowed", name)
		}
	}
	for _, name := range []string{"a.txt", "ünï", "a b", "a'b", "100%", "a;b", "[a]", "~", "日本"} {
		if forbidden(name) {
			t.Errorf("%q is forbidden", name)
		}
	}
}
