package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/balerhq/baler/tasks"
)

// tagTransfers groups operations in the description.
const tagTransfers = "Transfers"

func (a *api) registerTransfers(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "list-transfers",
		Method:      http.MethodGet,
		Path:        "/transfers",
		Tags:        []string{tagTransfers},
		Summary:     "List transfers",
		Description: "Newest first, in pages: pass `next` as `before` to get the next page.",
		Errors:      []int{http.StatusUnprocessableEntity},
	}, a.list)
	huma.Register(h, huma.Operation{
		OperationID: "get-transfer",
		Method:      http.MethodGet,
		Path:        "/transfers/{id}",
		Tags:        []string{tagTransfers},
		Summary:     "Show a transfer",
		Description: "The summary that the command line prints with `--json`, and where the transfer comes from.",
		Errors:      []int{http.StatusNotFound, http.StatusGone},
	}, a.get)
	a.registerEvents(h)
}

type listInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"How many transfers a page holds."`
	Before string `query:"before" maxLength:"64" doc:"The value of next from the previous page."`
}

type listOutput struct {
	Body transferPage
}

type transferPage struct {
	Transfers []transferBody `json:"transfers" nullable:"false"`
	Next      string         `json:"next,omitempty" doc:"Token of the next page; absent on the last page."`
}

func (a *api) list(ctx context.Context, in *listInput) (*listOutput, error) {
	before, err := DecodeToken(in.Before)
	if err != nil {
		return nil, invalid("query.before", in.Before, err.Error())
	}
	p, err := ReadPage(ctx, a.Transfers, before, in.Limit)
	if err != nil {
		return nil, a.internalError(ctx, "list transfers", err)
	}
	out := transferPage{Transfers: make([]transferBody, 0, len(p.Transfers)), Next: p.Next}
	for i := range p.Transfers {
		out.Transfers = append(out.Transfers, a.body(&p.Transfers[i]))
	}
	return &listOutput{Body: out}, nil
}

// TransferInput names a transfer. Huma sees only exported types inside of others.
type TransferInput struct {
	ID string `path:"id" minLength:"1" maxLength:"64" doc:"The id that the submission returned, its beginning, or the transfer's number."`
}

type getOutput struct {
	Body transferBody
}

func (a *api) get(ctx context.Context, in *TransferInput) (*getOutput, error) {
	t, err := a.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return a.summary(&t), nil
}

func (a *api) summary(t *tasks.Transfer) *getOutput {
	return &getOutput{Body: a.body(t)}
}

// find reads the transfer of a request.
func (a *api) find(ctx context.Context, text string) (t tasks.Transfer, err error) {
	return a.findBy(ctx, text, a.Transfers.Transfer)
}

// findBy is find with another way to read a transfer by its id.
func (a *api) findBy(
	ctx context.Context, text string, read func(ctx context.Context, uuid string) (tasks.Transfer, error),
) (t tasks.Transfer, err error) {
	id, err := a.idOf(ctx, text)
	if err != nil {
		return t, err
	}
	t, err = read(ctx, id)
	if gone, ok := errors.AsType[*tasks.DeletedError](err); ok {
		return t, problem(http.StatusGone, "Transfer "+gone.UUID+" was deleted at "+gone.At.Format(time.RFC3339)+".")
	}
	if errors.Is(err, tasks.ErrTransferNotFound) {
		return t, problem(http.StatusNotFound, "No transfer has the id "+id+".")
	}
	if err != nil {
		return t, a.internalError(ctx, "show transfer", err)
	}
	return t, nil
}

// idOf returns the whole id of the transfer that a path names.
func (a *api) idOf(ctx context.Context, text string) (string, error) {
	// The store has ids in the canonical form only; a UUID has other forms as well.
	if id, err := uuid.Parse(text); err == nil {
		return id.String(), nil
	}
	if a.Results == nil || !IsShortID(text) {
		return "", invalid("path.id", text, "not the id of a transfer, the beginning of one, or a number")
	}
	t, err := a.Results.FindTransfer(ctx, text)
	if gone, ok := errors.AsType[*tasks.DeletedError](err); ok {
		return gone.UUID, nil // whoever reads it learns since when
	}
	if err != nil {
		return "", a.answer(ctx, "find the transfer", err)
	}
	return t.UUID, nil
}

// IsShortID reports whether a text can be a transfer's number, or the beginning of its id.
func IsShortID(text string) bool {
	return text != "" && len(text) < 36 && strings.Trim(text, "0123456789abcdef-") == "" && text[0] != '-'
}

// Page is one keyset page of transfers.
type Page struct {
	Transfers []tasks.Transfer
	Next      string // token of the next page; empty on the last
}

// ReadPage reads one transfer more than it returns, so that a full last page does
// not link to an empty one.
func ReadPage(ctx context.Context, ts Transfers, before int64, limit int) (Page, error) {
	found, err := ts.Transfers(ctx, before, limit+1)
	if err != nil {
		return Page{}, err
	}
	if len(found) <= limit {
		return Page{Transfers: found}, nil
	}
	found = found[:limit]
	return Page{Transfers: found, Next: EncodeToken(found[limit-1].ID)}, nil
}
