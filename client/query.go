package client

import (
	"net/url"
	"strconv"
	"strings"
)

// query is a filter as parameters of a URL.
func (f Filter) query() url.Values {
	q := url.Values{}
	if f.Step != "" {
		q.Set("step", f.Step)
	}
	if len(f.Outcomes) > 0 {
		q.Set("outcome", strings.Join(f.Outcomes, ","))
	}
	if f.Code != "" {
		q.Set("code", f.Code)
	}
	if f.Exactly {
		q.Set("exactly", "true")
	}
	if f.Message != "" {
		q.Set("message", f.Message)
	}
	if f.File > 0 {
		q.Set("file", strconv.FormatInt(f.File, 10))
	}
	if f.Parent > 0 {
		q.Set("parent", strconv.FormatInt(f.Parent, 10))
	}
	return q
}
