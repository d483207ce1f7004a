package watch

import (
	"context"
	"log/slog"
)

// notices says each thing about each entry once.
type notices struct {
	log  *slog.Logger
	said map[string]bool
}

const maxNotices = 10_000 // then all may be said again

// once logs a line about an entry, unless it has done so before.
func (n *notices) once(ctx context.Context, level slog.Level, path, message string, args ...any) bool {
	key := path + "\x00" + message
	if n.said[key] {
		return false
	}
	if n.said == nil || len(n.said) >= maxNotices {
		n.said = make(map[string]bool)
	}
	n.said[key] = true
	n.log.Log(ctx, level, message, append([]any{"path", path}, args...)...)
	return true
}

// over forgets what was said, so that it is said when it comes again.
func (n *notices) over(path, message string) bool {
	key := path + "\x00" + message
	was := n.said[key]
	delete(n.said, key)
	return was
}
