package queue

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"

	"github.com/redis/go-redis/v9"
)

// refusalHook is a go-redis hook that adds a hint to errors about missing rights.
type refusalHook struct{ user string }

var _ redis.Hook = refusalHook{}

// DialHook changes nothing.
func (refusalHook) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessHook explains the error of one command.
func (h refusalHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if explained := h.explain(err); explained != nil {
			cmd.SetErr(explained)
			return explained
		}
		return err
	}
}

// ProcessPipelineHook explains the errors of a pipeline.
func (h refusalHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		for _, cmd := range cmds {
			if explained := h.explain(cmd.Err()); explained != nil {
				cmd.SetErr(explained)
			}
		}
		if explained := h.explain(err); explained != nil {
			return explained
		}
		return err
	}
}

// refusedError is Redis' refusal of a command, a key or a channel.
type refusedError struct {
	error

	hint string
}

func (e *refusedError) Error() string { return e.error.Error() + " (" + e.hint + ")" }
func (e *refusedError) Unwrap() error { return e.error }

// explain returns nil for an error that is not about rights, or that has a hint already.
func (h refusalHook) explain(err error) error {
	if _, done := errors.AsType[*refusedError](err); done || !isRefused(err) {
		return nil
	}
	rule := refusedRule(err)
	if rule == "" {
		return &refusedError{err, "'baler doctor' lists the rights that the account lacks; deploy/redis.acl has all"}
	}
	return &refusedError{err, fmt.Sprintf("run 'redis-cli ACL SETUSER %s %s'; deploy/redis.acl has all rights that it needs", h.user, rule)}
}

// isRefused reports whether Redis denies this account a command, a key or a channel,
// itself or in a script.
func isRefused(err error) bool {
	if err == nil {
		return false
	}
	text := err.Error()
	return redis.HasErrorPrefix(err, "NOPERM") || strings.Contains(text, "ACL failure in script") ||
		strings.Contains(text, "executing the script can't")
}

// refusedCommand is how Redis 7 names the command that it refuses: 'zadd', 'memory|usage'.
var refusedCommand = regexp.MustCompile(`to run the '([a-zA-Z|]+)' command`)

// refusedRule is the rule that permits a refused command; empty when Redis does not name it.
func refusedRule(err error) string {
	if found := refusedCommand.FindStringSubmatch(err.Error()); found != nil {
		return "+" + strings.ToLower(found[1])
	}
	return ""
}
