// Package web is Baler's HTTP server: the versioned API with its OpenAPI document,
// the dashboard of recent transfers, metrics for Prometheus, health checks, and
// asynq's monitor at /monitor.
//
// All pages and assets are embedded in the program. No page loads anything from
// other hosts; a content security policy enforces that for the monitor. Errors
// below /v1 are problem documents (RFC 9457).
//
// Requests must carry the token, if there is one, and call the server by one of its
// names. An authorised client may read and change everything that the API offers, and may
// run, archive and delete queued tasks when the monitor is writable. A server that other
// hosts reach without a token changes nothing. There is no TLS: put a proxy in front.
// Cross-origin requests that change something are refused.
package web
