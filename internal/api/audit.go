package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/balerhq/baler/internal/audit"
)

// AuditLog reads who changed what.
type AuditLog interface {
	// AuditLog lists up to limit lines numbered below before, newest first; before 0 starts
	// at the newest.
	AuditLog(ctx context.Context, before int64, limit int) ([]audit.Entry, error)
}

func (a *api) registerAudit(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "list-audit-log", Method: http.MethodGet, Path: "/audit", Tags: []string{"Accounts"},
		Summary: "List who changed what",
		Description: "Newest first, in pages: pass `next` as `before` to get the next page. A change has a line before it is made; " +
			"one whose result is `begun` runs, or its process has died.",
		Errors: []int{http.StatusUnprocessableEntity},
	}, a.auditLog)
}

type auditInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many lines a page holds."`
	Before string `query:"before" maxLength:"64" doc:"The value of next from the previous page."`
}

type auditOutput struct {
	Body struct {
		Lines []auditLine `json:"lines" nullable:"false"`
		Next  string      `json:"next,omitempty" doc:"Token of the next page; absent on the last page."`
	}
}

type auditLine struct {
	Line   int64        `json:"line"`
	At     time.Time    `json:"at" doc:"By the database's clock."`
	Who    string       `json:"who" doc:"A user, a token, or the user and host of a command."`
	From   string       `json:"from" doc:"The client's address, or command line."`
	Action string       `json:"action"`
	Target string       `json:"target" doc:"The path, or the arguments of the command."`
	Result audit.Status `json:"result" enum:"begun,done,refused,failed"`
	Detail string       `json:"detail,omitempty"`
}

func (a *api) auditLog(ctx context.Context, in *auditInput) (*auditOutput, error) {
	before, err := DecodeToken(in.Before)
	if err != nil {
		return nil, invalid("query.before", in.Before, err.Error())
	}
	found, err := a.Audit.AuditLog(ctx, before, in.Limit+1)
	if err != nil {
		return nil, a.internalError(ctx, "read the audit log", err)
	}
	out := new(auditOutput)
	out.Body.Lines = make([]auditLine, 0, min(len(found), in.Limit))
	for i, e := range found {
		if i == in.Limit {
			out.Body.Next = EncodeToken(found[i-1].ID)
			break
		}
		out.Body.Lines = append(out.Body.Lines, auditLine{e.ID, e.At, e.Who, e.From, e.Action, e.Target, e.Result, e.Detail})
	}
	return out, nil
}
