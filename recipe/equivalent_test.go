package recipe_test

import "testing"

func TestEquivalent(t *testing.T) {
	t.Parallel()
	base := "name: a\nsteps: [{handler: checksum, with: {algorithms: [md5]}}]\nfinally: [{handler: manifest, with: {to: /m}}]\n"
	for _, c := range []struct {
		change string
		source string
		same   bool
	}{
		{"nothing", base, true},
		{"a name and a limit", "name: b\nsteps: [{name: x, handler: checksum, timeout: 1s, with: {algorithms: [md5]}}]\n" +
			"finally: [{handler: manifest, timeout: 2s, with: {to: /m}}]\n", true},
		{"an argument", "name: a\nsteps: [{handler: checksum}]\nfinally: [{handler: manifest, with: {to: /m}}]\n", false},
		{"a final step's argument", "name: a\nsteps: [{handler: checksum, with: {algorithms: [md5]}}]\nfinally: [{handler: manifest, with: {to: /n}}]\n", false},
		{"no final step", "name: a\nsteps: [{handler: checksum, with: {algorithms: [md5]}}]\n", false},
	} {
		if got := parse(t, base).Equivalent(parse(t, c.source)); got != c.same {
			t.Errorf("%s: equivalent %v, want %v", c.change, got, c.same)
		}
	}
}
