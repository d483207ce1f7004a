package api

import (
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Problem makes an RFC 9457 document in the format of the API's own errors.
func Problem(status int, detail string, errs ...*huma.ErrorDetail) *huma.ErrorModel {
	return &huma.ErrorModel{Status: status, Title: http.StatusText(status), Detail: detail, Errors: errs}
}

// WriteProblem answers a request with a problem document.
func WriteProblem(w http.ResponseWriter, p *huma.ErrorModel) {
	h := w.Header()
	h.Del("Content-Length")
	h.Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) //nolint:errchkjson // an error means that the client has disconnected
}

func problem(status int, detail string, errs ...*huma.ErrorDetail) *huma.ErrorModel {
	return Problem(status, detail, errs...)
}

// invalid is the answer to a value that no request may have.
func invalid(location string, value any, message string) *huma.ErrorModel {
	return problem(http.StatusUnprocessableEntity, "validation failed",
		&huma.ErrorDetail{Message: message, Location: location, Value: value})
}
