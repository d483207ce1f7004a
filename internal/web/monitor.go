package web

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/hibiken/asynq"
	"github.com/hibiken/asynqmon"
	"github.com/redis/go-redis/v9"
)

// monitorRoot is where asynq's monitor is mounted.
const monitorRoot = "/monitor"

// newMonitor makes asynq's monitor, which has two connection pools until it is
// closed.
func newMonitor(opts *Options) (*asynqmon.HTTPHandler, error) {
	if err := checkRedisOption(opts.Redis); err != nil {
		return nil, err
	}
	return asynqmon.New(asynqmon.Options{
		RootPath:         monitorRoot,
		RedisConnOpt:     opts.Redis,
		PayloadFormatter: asynqmon.PayloadFormatterFunc(describePayload),
		ResultFormatter:  asynqmon.ResultFormatterFunc(describeResult),
		ReadOnly:         !opts.WritableMonitor,
	}), nil
}

// checkRedisOption tries the option, because the monitor panics on one that it does
// not know. An unused client opens no connection.
func checkRedisOption(opt asynq.RedisConnOpt) error {
	client, ok := opt.MakeRedisClient().(redis.UniversalClient)
	if !ok {
		return fmt.Errorf("monitor: %T does not make a go-redis client", opt)
	}
	if err := client.Close(); err != nil && !errors.Is(err, redis.ErrClosed) {
		return fmt.Errorf("monitor: close a trial client: %w", err)
	}
	return nil
}

func mountMonitor(mux *http.ServeMux, monitor http.Handler) {
	mux.Handle(monitorRoot+"/", http.MaxBytesHandler(monitor, maxBody))
}
