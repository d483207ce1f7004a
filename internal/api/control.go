package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/balerhq/baler/tasks"
)

func (a *api) registerControl(h huma.API) {
	errs := []int{http.StatusNotFound, http.StatusGone}
	for _, op := range []struct {
		id, method, path, summary, description string
		do                                     func(context.Context, tasks.Transfer) (bool, error)
	}{
		{"cancel-transfer", http.MethodDelete, "/transfers/{id}", "Cancel a transfer",
			"No more batches of it start, running handlers end within seconds, and unfinished files end as canceled. " +
				"Results stay. A transfer that has ended stays as it is.", a.Control.Cancel},
		{"pause-transfer", http.MethodPost, "/transfers/{id}/pause", "Pause a transfer",
			"No more batches of it start; running ones finish. A transfer that is paused or has ended stays as it is.", a.Control.Pause},
		{"resume-transfer", http.MethodPost, "/transfers/{id}/resume", "Resume a paused transfer",
			"A transfer that is not paused stays as it is.", a.Control.Resume},
	} {
		huma.Register(h, huma.Operation{
			OperationID: op.id, Method: op.method, Path: op.path, Tags: tagControl(),
			Summary: op.summary, Description: op.description, Errors: errs,
		}, func(ctx context.Context, in *TransferInput) (*getOutput, error) {
			return a.control(ctx, in, op.summary, op.do)
		})
	}
	a.registerApprovals(h)
	a.registerUpdate(h)
	huma.Register(h, huma.Operation{
		OperationID: "retry-transfer", Method: http.MethodPost, Path: "/transfers/{id}/retry", Tags: tagControl(),
		Summary: "Retry files of a transfer",
		Description: "Runs the files of the selected results again, from the step of the result on. Without outcomes it selects " +
			"failures and canceled files. While the transfer runs, only failed files can run again.",
		MaxBodyBytes: maxBody,
		Errors:       []int{http.StatusNotFound, http.StatusGone, http.StatusConflict, http.StatusUnprocessableEntity},
	}, a.retry)
	huma.Register(h, huma.Operation{
		OperationID: "cancel-files", Method: http.MethodPost, Path: "/transfers/{id}/files/cancel", Tags: tagControl(),
		Summary: "Cancel files of a transfer",
		Description: "Cancels the selected files that have not ended; the others go on. A file that waits ends as canceled at the step " +
			"for which it waits. One that runs ends this step first; if that was its last, it keeps its result. The filter must select " +
			"something. With an outcome, a code or a message, it selects files by their results, and by their last attempt while they " +
			"wait for another; with a step alone, the files that are at this step.",
		MaxBodyBytes: maxBody,
		Errors:       []int{http.StatusNotFound, http.StatusGone, http.StatusUnprocessableEntity},
	}, a.cancelFiles)
	huma.Register(h, huma.Operation{
		OperationID: "retry-finalizers", Method: http.MethodPost, Path: "/transfers/{id}/finalizers/retry", Tags: tagControl(),
		Summary:     "Retry the final steps of a transfer",
		Description: "Runs the failed final steps of a completed transfer again, and no files.",
		Errors:      []int{http.StatusNotFound, http.StatusGone, http.StatusConflict},
	}, a.retryFinalizers)
}

// control does something with a transfer, and answers with what it is then.
func (a *api) control(
	ctx context.Context, in *TransferInput, doing string, do func(context.Context, tasks.Transfer) (bool, error),
) (*getOutput, error) {
	t, err := a.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	changed, err := do(ctx, t)
	if err != nil {
		return nil, a.answer(ctx, doing, err)
	}
	if t, err = a.find(ctx, in.ID); err != nil {
		return nil, err
	}
	out := a.summary(&t)
	out.Body.Changed = changed
	return out, nil
}

type retryInput struct {
	TransferInput

	Body *retryBody `required:"false"`
}

type retryBody struct {
	Step    string   `json:"step,omitempty" maxLength:"255" doc:"Only results of this step."`
	Outcome []string `json:"outcome,omitempty" doc:"Only results with one of these outcomes; none: failed, error, timed_out and canceled."`
	File    int64    `json:"file,omitempty" minimum:"0" doc:"Only the file with this number."`
	Parent  int64    `json:"parent,omitempty" minimum:"0" doc:"Only files that were extracted from the file with this number."`
	Code    string   `json:"code,omitempty" maxLength:"64" doc:"Only results with this code."`
	Message string   `json:"message,omitempty" maxLength:"255" doc:"Only failures with this message, as list-failures returns it."`
	Exactly bool     `json:"exactly,omitempty" doc:"Only failures of exactly this code and message, even if empty."`
}

type retryOutput struct {
	Body struct {
		Files int64 `json:"files" doc:"How many files run again."`
	}
}

func (a *api) retry(ctx context.Context, in *retryInput) (*retryOutput, error) {
	var query ResultQuery
	if in.Body != nil {
		query = ResultQuery(*in.Body)
	}
	out := new(retryOutput)
	var err error
	out.Body.Files, err = a.steer(ctx, in.ID, &query, "retry files", a.Control.Retry)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// steer does something with the files of a transfer that a query selects, and counts them.
func (a *api) steer(
	ctx context.Context, id string, query *ResultQuery, what string,
	do func(context.Context, tasks.Transfer, tasks.ResultSelector) (int64, error),
) (files int64, err error) {
	t, err := a.find(ctx, id)
	if err != nil {
		return 0, err
	}
	f, err := query.filter(&t, "body")
	if err != nil {
		return 0, err
	}
	if files, err = do(ctx, t, f); err != nil {
		return 0, a.answer(ctx, what, err)
	}
	return files, nil
}

type cancelFilesInput struct {
	TransferInput

	Body cancelFilesBody
}

type cancelFilesBody struct {
	Step    string   `json:"step,omitempty" maxLength:"255" doc:"Only results of this step; by itself: only files that are at this step."`
	Outcome []string `json:"outcome,omitempty" doc:"Only results with one of these outcomes; none: with any."`
	File    int64    `json:"file,omitempty" minimum:"0" doc:"Only the file with this number."`
	Parent  int64    `json:"parent,omitempty" minimum:"0" doc:"Only files that were extracted from the file with this number."`
	Code    string   `json:"code,omitempty" maxLength:"64" doc:"Only results with this code."`
	Message string   `json:"message,omitempty" maxLength:"255" doc:"Only failures with this message, as list-failures returns it."`
	Exactly bool     `json:"exactly,omitempty" doc:"Only failures of exactly this code and message, even if empty."`
}

type cancelFilesOutput struct {
	Body struct {
		Files int64 `json:"files" doc:"How many files go no further, that were not canceled before."`
	}
}

func (a *api) cancelFiles(ctx context.Context, in *cancelFilesInput) (*cancelFilesOutput, error) {
	query, out := ResultQuery(in.Body), new(cancelFilesOutput)
	var err error
	out.Body.Files, err = a.steer(ctx, in.ID, &query, "cancel files", a.Control.CancelFiles)
	if err != nil {
		return nil, err
	}
	return out, nil
}

type finalizersOutput struct {
	Body struct {
		Finalizers int64 `json:"finalizers" doc:"How many final steps run again."`
	}
}

func (a *api) retryFinalizers(ctx context.Context, in *TransferInput) (*finalizersOutput, error) {
	t, err := a.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	n, err := a.Control.RetryFinalizers(ctx, t)
	if err != nil {
		return nil, a.answer(ctx, "retry final steps", err)
	}
	out := new(finalizersOutput)
	out.Body.Finalizers = n
	return out, nil
}

// tagControl groups the operations that steer transfers.
func tagControl() []string { return []string{"Control"} }
