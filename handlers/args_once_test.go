package handlers_test

import (
	"errors"
	"testing"

	"github.com/balerhq/baler/handlers"
)

func TestOncePerArgs(t *testing.T) {
	t.Parallel()
	bad := errors.New("bad")
	var decoded []any
	f := handlers.OncePerArgs(func(args any) (int, error) {
		decoded = append(decoded, args)
		if args == nil {
			return 0, bad
		}
		n, _ := args.(map[string]any)["n"].(int)
		return n, nil
	})
	one, other := map[string]any{"n": 1}, map[string]any{"n": 1}
	for i, c := range []struct {
		args any
		want int
		err  error
		runs int
	}{{one, 1, nil, 1}, {one, 1, nil, 1}, {other, 1, nil, 2}, {nil, 0, bad, 3}, {nil, 0, bad, 4}, {one, 1, nil, 5}} {
		n, err := f(c.args)
		if n != c.want || !errors.Is(err, c.err) || len(decoded) != c.runs {
			t.Errorf("call %d: %d, %v after %d decodings, want %d, %v after %d", i, n, err, len(decoded), c.want, c.err, c.runs)
		}
	}
}
