// Package web is Baler's HTTP server: the versioned API with its OpenAPI document,
// the dashboard of recent transfers, metrics for Prometheus, health checks, and
// asynq's monitor at /monitor.
//
// All pages and assets are embedded in the program. No page loads anything from
// other hosts; a content security policy enforces that for the monitor. Errors
// below /v1 are problem documents (RFC 9457).
//
// There is no authentication. Anybody who can connect may read everything, and may
// run, archive and delete queued tasks unless the monitor is read-only. Listen on a
// private address or behind a proxy that authenticates. Cross-origin requests that
// change something are refused.
package web
