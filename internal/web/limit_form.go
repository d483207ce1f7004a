package web

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/tasks"
)

// limitForm is what a person fills in to limit all workers together.
type limitForm struct{ Scope, Name, InFlight, Rate, PerHost, Weight string }

// limitSetter does what the form of a limit says. It answers with the page of the workers.
type limitSetter struct{ *workersPage }

func newLimitSetter(opts *Options) (limitSetter, error) {
	p, err := newWorkersPage(opts)
	return limitSetter{p}, err
}

func (s limitSetter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	err := readForm(r)
	form := limitForm{
		Scope: r.PostForm.Get("scope"), Name: strings.TrimSpace(r.PostForm.Get("name")),
		InFlight: strings.TrimSpace(r.PostForm.Get("in_flight")), Rate: strings.TrimSpace(r.PostForm.Get("files_per_second")),
		PerHost: strings.TrimSpace(r.PostForm.Get("per_host")), Weight: strings.TrimSpace(r.PostForm.Get("weight")),
	}
	if err == nil {
		err = s.set(r.Context(), &form)
	}
	if err == nil {
		set := url.Values{
			"scope": {form.Scope}, "name": {form.Name},
			"in_flight": {form.InFlight}, "files_per_second": {form.Rate}, "per_host": {form.PerHost},
		}
		if form.Weight != "" {
			set.Set("weight", form.Weight)
		}
		http.Redirect(w, r, "/workers#"+set.Encode(), http.StatusSeeOther)
		return
	}
	view := s.view(r)
	view.Limit = form
	status, problem := s.sorry(r, err)
	view.Failed = problem
	if err := s.fill(r.Context(), &view); err != nil {
		status, view.Problem = s.sorry(r, err)
	}
	s.send(w, r, status, "layout", view)
}

func (s limitSetter) set(ctx context.Context, f *limitForm) error {
	var change tasks.LimitChange
	var err error
	if change.InFlight, err = wholeBoundOf(f.InFlight, "batches at once"); err != nil {
		return err
	}
	if change.PerHost, err = wholeBoundOf(f.PerHost, "batches on one host"); err != nil {
		return err
	}
	if change.FilesPerSecond, err = boundOf(f.Rate, "files per second"); err != nil {
		return err
	}
	if change.Weight, err = wholeBoundOf(f.Weight, "the weight of a queue"); err != nil {
		return err
	}
	if w := change.Weight; w != nil && (*w > tasks.MaxWeight || f.Scope != string(tasks.ScopeQueue)) {
		return wrongForm("a queue has a weight from 1 to %d, or 0 for that of the configuration of its workers", tasks.MaxWeight)
	}
	if change.Empty() {
		return wrongForm("give a number of batches or of files; 0 removes a limit")
	}
	scope, name := tasks.Scope(f.Scope), f.Name
	switch scope {
	case tasks.ScopeAll:
		if name != "" {
			return wrongForm("the limit of everything has no name")
		}
	case tasks.ScopeQueue:
		if err := tasks.CheckQueue(name); err != nil || name == "" {
			return wrongForm("%q is not the name of a queue", name)
		}
	case tasks.ScopeTransfer:
		t, err := s.opts.Results.FindTransfer(ctx, name)
		if errors.Is(err, tasks.ErrTransferNotFound) {
			return missing(fmt.Sprintf("There is no transfer %q.", name))
		}
		if err != nil {
			return err
		}
		var left tasks.Limit
		change.Apply(&left)
		if t.State.Ended() && !left.Unlimited() {
			return &api.RequestError{Conflict: true, Err: errors.New("the transfer has ended")}
		}
		name = t.UUID
	case tasks.ScopeHandler, tasks.ScopeName:
		if err := tasks.CheckLimitName(name); err != nil {
			return wrongForm("%v", err)
		}
	default:
		return wrongForm("%q is nothing that can be limited", f.Scope)
	}
	_, err = s.opts.Fleet.SetLimit(ctx, scope, name, change)
	return err
}

// boundOf reads a number from 0; nil: the field is empty.
func boundOf(text, what string) (*float64, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // the bound stays
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v >= 0 && v <= math.MaxInt32) {
		return nil, wrongForm("%q is no number of %s: give one from 0", text, what)
	}
	return &v, nil
}

// wholeBoundOf reads a whole number from 0; nil: the field is empty.
func wholeBoundOf(text, what string) (*int, error) {
	v, err := boundOf(text, what)
	if v == nil || err != nil {
		return nil, err
	}
	n := int(*v)
	if float64(n) != *v {
		return nil, wrongForm("%q is no whole number of %s", text, what)
	}
	return &n, nil
}

// wrongForm is an error of whoever has filled in a form.
func wrongForm(format string, args ...any) error {
	return &api.RequestError{Err: fmt.Errorf(format, args...)}
}
