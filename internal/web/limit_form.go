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
type limitForm struct{ Scope, Name, InFlight, Rate string }

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
	}
	if err == nil {
		err = s.set(r.Context(), &form)
	}
	if err == nil {
		set := url.Values{"scope": {form.Scope}, "name": {form.Name}, "in_flight": {form.InFlight}, "files_per_second": {form.Rate}}
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
	inFlight, err := boundOf(f.InFlight, "batches at once")
	if err != nil {
		return err
	}
	rate, err := boundOf(f.Rate, "files per second")
	if err != nil {
		return err
	}
	if inFlight == nil && rate == nil {
		return wrongForm("give a number of batches or of files; 0 removes a limit")
	}
	var batches *int
	if inFlight != nil {
		n := int(*inFlight)
		if float64(n) != *inFlight {
			return wrongForm("%q is no whole number of batches", f.InFlight)
		}
		batches = &n
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
		removes := (batches == nil || *batches == 0) && (rate == nil || *rate == 0)
		if t.State.Ended() && !removes {
			return &api.RequestError{Conflict: true, Err: errors.New("the transfer has ended")}
		}
		name = t.UUID
	default:
		return wrongForm("%q is nothing that can be limited", f.Scope)
	}
	_, err = s.opts.Fleet.SetLimit(ctx, scope, name, batches, rate)
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

// wrongForm is an error of whoever has filled in a form.
func wrongForm(format string, args ...any) error {
	return &api.RequestError{Err: fmt.Errorf(format, args...)}
}
