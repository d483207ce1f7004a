// Package api is version 1 of Baler's HTTP API, below /v1: submitting and steering
// transfers, and reading their results, as the OpenAPI document at /v1/openapi.json
// describes. Errors are problem documents (RFC 9457).
//
// The package checks no credentials and no origins; its server does. Lists come in keyset
// pages: a page costs the same wherever it is. Bodies are limited in size, and files are
// read from a stream of JSON lines in bounded memory.
package api
