package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/balerhq/baler/tasks"
)

// tagSubmitting groups operations in the description.
const tagSubmitting = "Submitting"

// maxBody limits the body of a request but for lists of files, in bytes.
const maxBody = 1 << 20

// retryAfter is when a client may ask again how a transfer goes, in seconds.
const retryAfter = 1

func (a *api) registerSubmit(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "create-transfer", Method: http.MethodPost, Path: "/transfers", Tags: []string{tagSubmitting},
		Summary: "Submit a transfer",
		Description: "With `paths` the server registers the files below them, and seals the transfer; it answers before that. " +
			"Without, the transfer is open: add files, then seal it. With an Idempotency-Key the same request twice makes one transfer.",
		DefaultStatus: http.StatusAccepted,
		MaxBodyBytes:  maxBody,
		Errors:        []int{http.StatusForbidden, http.StatusConflict, http.StatusUnprocessableEntity},
	}, a.create)
	huma.Register(h, huma.Operation{
		OperationID: "add-files", Method: http.MethodPost, Path: "/transfers/{id}/files", Tags: []string{tagSubmitting},
		Summary: "Add files to an open transfer",
		Description: "The body is a stream of JSON lines, `{\"path\": \"/data/a.tif\"}`, of any length. The server reads size and time " +
			"of a file that comes without a size; a folder stands for the files below it. A line that cannot be read ends the " +
			"request with its number, and the files before it are added. Files of a request are added in their order; of two " +
			"requests at once, the later takes over, and the earlier is answered with 409.",
		Errors: []int{
			http.StatusNotFound, http.StatusGone, http.StatusConflict, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity,
		},
	}, a.addFiles)
	// Set only now: huma would read a body that it knows of as a whole.
	line := h.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[fileLine](), true, "FileLine")
	h.OpenAPI().Paths["/transfers/{id}/files"].Post.RequestBody = &huma.RequestBody{
		Required: true, Content: map[string]*huma.MediaType{ndjson: {Schema: line}},
	}
	huma.Register(h, huma.Operation{
		OperationID: "seal-transfer", Method: http.MethodPost, Path: "/transfers/{id}/seal", Tags: []string{tagSubmitting},
		Summary:     "Seal a transfer",
		Description: "Says that it gets no more files, so that it ends once they have. Sealing twice is fine.",
		Errors:      []int{http.StatusNotFound, http.StatusGone, http.StatusConflict},
	}, a.seal)
	a.registerRecipes(h)
}

type createInput struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"Any text; the same key and request make one transfer."`

	Body createBody
}

type createBody struct {
	Paths     []string        `json:"paths,omitempty" maxItems:"1000" doc:"Absolute paths of files and folders that the server may read."`
	Recipe    json.RawMessage `json:"recipe,omitempty" doc:"The name of a recipe, or one as an object or YAML; default: default."`
	Name      string          `json:"name,omitempty" maxLength:"255" doc:"For people; default: the first path."`
	Queue     string          `json:"queue,omitempty" maxLength:"64" doc:"Default: default."`
	Weight    int             `json:"weight,omitempty" minimum:"0" maximum:"100" doc:"Its share beside others of its queue; default: 1."`
	StopAfter string          `json:"stop_after,omitempty" maxLength:"32" doc:"Failures that stop it: 5%, 100 or none."`

	Deadline string `json:"deadline,omitempty" maxLength:"32" doc:"When to cancel it: a duration such as 6h, a time of RFC 3339, or none."`
	Via      string `json:"via,omitempty" enum:"auto,group,bulk" doc:"How files reach the workers; default: auto."`

	MissingOK bool            `json:"missing_ok,omitempty" doc:"Register paths that do not exist; each gets a failed result."`
	Webhooks  []string        `json:"webhooks,omitempty" maxItems:"10" doc:"Addresses to notify: https, slack+https, teams+https or mailto."`
	NoReuse   bool            `json:"no_reuse,omitempty" doc:"Run the handlers for every file, also where the recipe says reuse."`
	Selection tasks.Selection `json:"selection,omitzero" doc:"Which of the files below the paths belong to it; default: all."`
}

type createOutput struct {
	Status     int
	Location   string `header:"Location" doc:"The path of the transfer."`
	RetryAfter string `header:"Retry-After" doc:"When to ask for its progress, in seconds."`
	Body       transferBody
}

func (a *api) create(ctx context.Context, in *createInput) (*createOutput, error) {
	s := SubmissionRequest{
		Paths: in.Body.Paths, Selection: in.Body.Selection, Name: in.Body.Name, Queue: in.Body.Queue, Weight: in.Body.Weight,
		MissingOK: in.Body.MissingOK, Webhooks: in.Body.Webhooks, NoReuse: in.Body.NoReuse, IdempotencyKey: in.IdempotencyKey,
		StopAfter: in.Body.StopAfter, Deadline: in.Body.Deadline,
	}
	var err error
	if s.Via, err = tasks.ParseVia(in.Body.Via, ""); err != nil {
		return nil, invalid("body.via", in.Body.Via, err.Error())
	}
	if s.Recipe, s.Inline, err = recipeOf(in.Body.Recipe); err != nil {
		return nil, err
	}
	t, created, err := a.Submitter.Submit(ctx, s)
	if err != nil {
		return nil, a.answer(ctx, "submit a transfer", err)
	}
	out := &createOutput{
		Status: http.StatusAccepted, Location: Root + "/transfers/" + t.UUID, RetryAfter: strconv.Itoa(retryAfter),
		Body: a.body(&t),
	}
	if out.Body.Changed = created; !created {
		out.Status = http.StatusOK
	}
	return out, nil
}

// recipeOf reads the recipe of a request: a name, lines of YAML, or an object, which is YAML
// as well.
func recipeOf(raw json.RawMessage) (text string, inline bool, err error) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", false, nil
	}
	if raw[0] == '{' {
		return string(raw), true, nil
	}
	if json.Unmarshal(raw, &text) != nil || text == "" {
		return "", false, invalid("body.recipe", raw, "neither the name of a recipe nor an object")
	}
	return text, strings.Contains(text, "\n"), nil
}

type sealInput struct {
	TransferInput

	ListPaths  int64  `query:"list_paths" minimum:"0" doc:"How many paths the list of the files had, so that it is known again."`
	ListDigest string `query:"list_digest" maxLength:"64" doc:"A SHA-256 digest of that list, in hexadecimal digits."`
}

func (a *api) seal(ctx context.Context, in *sealInput) (*getOutput, error) {
	list, err := tasks.ParseListMark(in.ListPaths, in.ListDigest)
	if err != nil {
		return nil, invalid("query.list_digest", in.ListDigest, err.Error())
	}
	t, err := a.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := a.Submitter.Seal(ctx, t, list); err != nil {
		return nil, a.answer(ctx, "seal the transfer", err)
	}
	if t, err = a.find(ctx, in.ID); err != nil {
		return nil, err
	}
	return a.summary(&t), nil
}
