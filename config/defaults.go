package config

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/balerhq/baler/tasks"
)

// WithDefaults returns c with the defaults in its zero fields. env is as os.Environ
// returns it; HOME and XDG_STATE_HOME, on
// Windows LOCALAPPDATA, give the state folder.
func (c Config) WithDefaults(env []string) Config {
	return c.constants().derived(environment(env))
}

// constants fills in the defaults that depend on nothing but the processor count.
func (c Config) constants() Config {
	processors := runtime.GOMAXPROCS(0)
	c.Redis.URL = cmp.Or(c.Redis.URL, "embedded")
	if c.Database.AutoMigrate == nil {
		c.Database.AutoMigrate = new(true)
	}
	c.Worker.Concurrency = cmp.Or(c.Worker.Concurrency, max(4, 2*processors))
	c.Worker.Slots = cmp.Or(c.Worker.Slots, processors)
	c.Worker.Interval = cmp.Or(c.Worker.Interval, 25*time.Millisecond)
	c.Worker.Grace = cmp.Or(c.Worker.Grace, 30*time.Second)
	c.Worker.MaxCopy = cmp.Or(c.Worker.MaxCopy, 10<<30)
	c.Worker.MinFree = cmp.Or(c.Worker.MinFree, 256<<20)
	if len(c.Worker.Queues) == 0 {
		c.Worker.Queues = map[string]int{tasks.DefaultQueue: 1}
	}
	c.Worker.AdminListen = cmp.Or(c.Worker.AdminListen, "127.0.0.1:0")
	c.Dispatch.Window = cmp.Or(c.Dispatch.Window, 64)
	c.Dispatch.Interval = cmp.Or(c.Dispatch.Interval, 100*time.Millisecond)
	c.Dispatch.Lag = cmp.Or(c.Dispatch.Lag, 2*time.Minute)
	c.Dispatch.Resend = cmp.Or(c.Dispatch.Resend, 15*time.Second)
	c.Group.MaxSize = cmp.Or(c.Group.MaxSize, 5000)
	c.Group.Grace = cmp.Or(c.Group.Grace, time.Second)
	c.Group.MaxDelay = cmp.Or(c.Group.MaxDelay, 500*time.Millisecond)
	c.Group.Limit = cmp.Or(c.Group.Limit, 100_000)
	c.Batch = c.Batch.Overlay(tasks.DefaultBatchPolicy())
	c.Record.MaxItems = cmp.Or(c.Record.MaxItems, 1000)
	c.Record.MaxDelay = cmp.Or(c.Record.MaxDelay, 250*time.Millisecond)
	c.Record.Flushers = cmp.Or(c.Record.Flushers, 2)
	c.Record.MaxOutput = cmp.Or(c.Record.MaxOutput, tasks.DefaultMaxOutput)
	c.Journal.MaxSize = cmp.Or(c.Journal.MaxSize, 1<<30)
	c.Journal.Compression = cmp.Or(c.Journal.Compression, "zstd")
	c.Webhook.StallAfter = cmp.Or(c.Webhook.StallAfter, time.Hour)
	c.SMTP.TLS = cmp.Or(c.SMTP.TLS, "starttls")
	c.HTTP.Listen = cmp.Or(c.HTTP.Listen, "127.0.0.1:8080")
	c.HTTP.RequestsPerSecond = cmp.Or(c.HTTP.RequestsPerSecond, 100)
	c.HTTP.SessionIdle = cmp.Or(c.HTTP.SessionIdle, 12*time.Hour)
	c.HTTP.SessionLife = cmp.Or(c.HTTP.SessionLife, 7*24*time.Hour)
	c.HTTP.OpenID.RoleClaim = cmp.Or(c.HTTP.OpenID.RoleClaim, "groups")
	c.Audit.Keep = cmp.Or(c.Audit.Keep, 365*24*time.Hour)
	if c.HTTP.MonitorReadOnly == nil {
		c.HTTP.MonitorReadOnly = new(true)
	}
	c.Log.Level = cmp.Or(c.Log.Level, "info")
	c.Log.Format = cmp.Or(c.Log.Format, "text")
	return c
}

// derived fills in the defaults that depend on the host and on other settings.
func (c Config) derived(env map[string]string) Config {
	c.StateDir = cmp.Or(c.StateDir, stateDir(runtime.GOOS, env))
	if c.Database.URL == "" && c.StateDir != "" {
		c.Database.URL = "sqlite:" + filepath.Join(c.StateDir, "baler.db")
	}
	host, err := os.Hostname()
	if err != nil { // the process number still distinguishes the workers of one host
		host = "worker"
	}
	c.Worker.Host = cmp.Or(c.Worker.Host, host)
	if c.Worker.Name == "" {
		c.Worker.Name = fmt.Sprintf("%s-%d", host, os.Getpid())
	}
	return c
}

// stateDir follows the XDG base directory specification, which ignores relative
// paths, and on Windows its rule for data that stay on one machine. It is empty without a home folder.
func stateDir(system string, env map[string]string) string {
	if dir := env["XDG_STATE_HOME"]; filepath.IsAbs(dir) {
		return filepath.Join(dir, "baler")
	}
	home := env[homeVariable(system)]
	switch {
	case !filepath.IsAbs(home):
		return ""
	case system == "windows":
		return filepath.Join(home, "baler")
	default:
		return filepath.Join(home, ".local", "state", "baler")
	}
}

// homeVariable names the variable with the folder above the state folder. On Windows only
// some shells set HOME, and one user must have one state folder.
func homeVariable(system string) string {
	if system == "windows" {
		return "LOCALAPPDATA"
	}
	return "HOME"
}
