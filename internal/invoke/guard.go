package invoke

import (
	"context"
	"log/slog"
)

// Guard calls one turn of a loop, and turns its panic into an error, so that the loop
// and its process continue. It logs the panic with its stack.
func Guard(ctx context.Context, log *slog.Logger, what string, turn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			p := NewPanicError(v)
			log.ErrorContext(ctx, what+": panic; please report it with its stack", "panic", v, "stack", p.Stack)
			err = p
		}
	}()
	return turn()
}
