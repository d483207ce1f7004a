package accounts

import "context"

type contextKey struct{}

// With returns a context that carries who has sent the request.
func With(ctx context.Context, who Identity) context.Context {
	return context.WithValue(ctx, contextKey{}, who)
}

// From returns who has sent the request of a context. Nobody's role allows nothing.
func From(ctx context.Context) Identity {
	who, _ := ctx.Value(contextKey{}).(Identity)
	return who
}
