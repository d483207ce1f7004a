// Package web shows what Baler does over HTTP: the versioned API with its
// OpenAPI document, a page of recent transfers, metrics for Prometheus, health
// checks, and asynq's own monitor under /monitor.
//
// Everything that it serves is embedded in the program; its own pages fetch
// nothing from other hosts, and the monitor's pages are kept from doing so.
// Whatever goes wrong under /v1 is answered with a problem document (RFC 9457).
//
// It authenticates nobody. Whoever reaches the address may read everything, and
// may run, archive and delete queued tasks unless the monitor is read-only: bind
// it to a private address or put a proxy that checks identities in front. Requests that
// a browser sends on behalf of another site are refused.
package web
