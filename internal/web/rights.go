package web

import (
	"net/http"

	"github.com/balerhq/baler/internal/accounts"
	"github.com/balerhq/baler/internal/api"
)

// right says who may use a route. What a route does is for the audit log, which has a line
// for every request that may change something.
type right struct {
	role accounts.Role // Nobody: everybody may, before they have logged in
	does string
}

// rights is the one table of who may do what, by the pattern of the route. A route that is
// missing here is for operators, and a test fails.
func rights() map[string]right { //nolint:funlen // one line a route
	const view, submit, operate = accounts.Viewer, accounts.Submitter, accounts.Operator
	return map[string]right{
		"GET /login":                 {role: accounts.Nobody},
		"POST /login":                {role: accounts.Nobody}, // its handler writes the audit log
		"GET /login/openid":          {role: accounts.Nobody},
		"GET /login/openid/callback": {role: accounts.Nobody},
		"POST /logout":               {view, "log out"},
		"GET /assets/":               {role: accounts.Nobody},
		"GET " + healthPath:          {role: accounts.Nobody},
		"GET " + readyPath:           {role: accounts.Nobody},
		"GET " + metricsPath:         {role: view},

		"GET /{$}":                                 {role: view},
		"GET /transfers/{id}/failures":             {role: view},
		"GET /transfers/{id}/files":                {role: view},
		"GET /transfers/{id}/files/{no}":           {role: view},
		"GET /transfers/{id}/files/{no}/thumbnail": {role: view},
		"GET /transfers/{id}/formats":              {role: view},
		"GET /transfers/{id}/fixity":               {role: view},
		"GET /transfers/{id}/outputs/{no}/{name}":  {role: view},
		"GET /workers":                             {role: view},
		"POST /workers":                            {operate, "steer a worker or a queue"},
		"POST /limits":                             {operate, "set a limit"},
		"GET /recipes":                             {role: view},
		"GET /recipes/{name}":                      {role: view},
		"GET /dead-letters":                        {role: view},
		"POST /dead-letters":                       {operate, "requeue or discard a dead letter"},
		"GET /new":                                 {role: submit},
		"POST /new":                                {submit, "submit a transfer"},
		"GET /transfers/{id}":                      {role: view},
		"GET /transfers/{id}/results":              {role: view},
		"POST /transfers/{id}/retry":               {submit, "retry files of a transfer"},
		"POST /transfers/{id}/pause":               {operate, "pause a transfer"},
		"POST /transfers/{id}/resume":              {operate, "resume a transfer"},
		"POST /transfers/{id}/cancel":              {operate, "cancel a transfer"},
		"POST /transfers/{id}/update":              {operate, "change a transfer"},
		"POST /transfers/{id}/approve":             {operate, "approve a step"},
		"POST /transfers/{id}/reject":              {operate, "reject a step"},
		"POST /transfers/{id}/cancel-files":        {operate, "cancel files of a transfer"},
		"GET /schedules":                           {role: view},
		"POST /schedules":                          {operate, "add a schedule"},
		"POST /schedules/{name}/remove":            {operate, "remove a schedule"},
		"POST /schedules/{name}/run":               {operate, "run a schedule"},
		"POST /schedules/{name}/pause":             {operate, "pause a schedule"},
		"POST /schedules/{name}/resume":            {operate, "resume a schedule"},

		"GET " + api.Root + "/schedules":                {role: view},
		"POST " + api.Root + "/schedules":               {operate, "add a schedule"},
		"DELETE " + api.Root + "/schedules/{name}":      {operate, "remove a schedule"},
		"POST " + api.Root + "/schedules/{name}/run":    {operate, "run a schedule"},
		"POST " + api.Root + "/schedules/{name}/pause":  {operate, "pause a schedule"},
		"POST " + api.Root + "/schedules/{name}/resume": {operate, "resume a schedule"},

		"GET /audit":                   {role: operate},
		"GET " + monitorRoot + "/":     {role: view},
		"HEAD " + monitorRoot + "/":    {role: view},
		"OPTIONS " + monitorRoot + "/": {role: view},
		monitorRoot + "/":              {operate, "change a queue in the monitor"},

		api.Root + "/":                                 {role: view}, // what does not exist
		"GET " + api.Root + "/docs":                    {role: view},
		"GET " + api.Root + "/openapi.json":            {role: view},
		"GET " + api.Root + "/transfers":               {role: view},
		"GET " + api.Root + "/transfers/{id}":          {role: view},
		"GET " + api.Root + "/transfers/find":          {role: view},
		"GET " + api.Root + "/transfers/{id}/live":     {role: view},
		"GET " + api.Root + "/transfers/{id}/events":   {role: view},
		"GET " + api.Root + "/transfers/{id}/results":  {role: view},
		"GET " + api.Root + "/transfers/{id}/files":    {role: view},
		"GET " + api.Root + "/transfers/{id}/failures": {role: view},
		"GET " + api.Root + "/transfers/{id}/export":   {role: view},
		"GET " + api.Root + "/workers":                 {role: view},
		"GET " + api.Root + "/queues":                  {role: view},

		"GET " + api.Root + "/limits":                           {role: view},
		"GET " + api.Root + "/recipes":                          {role: view},
		"GET " + api.Root + "/recipes/{name}":                   {role: view},
		"GET " + api.Root + "/audit":                            {role: operate},
		"POST " + api.Root + "/transfers":                       {submit, "submit a transfer"},
		"POST " + api.Root + "/transfers/{id}/files":            {submit, "add files to a transfer"},
		"POST " + api.Root + "/transfers/{id}/seal":             {submit, "seal a transfer"},
		"POST " + api.Root + "/transfers/{id}/retry":            {submit, "retry files of a transfer"},
		"POST " + api.Root + "/transfers/{id}/files/cancel":     {operate, "cancel files of a transfer"},
		"POST " + api.Root + "/transfers/{id}/finalizers/retry": {submit, "retry final steps of a transfer"},
		"PUT " + api.Root + "/limits":                           {operate, "set a limit"},
		"POST " + api.Root + "/transfers/{id}/pause":            {operate, "pause a transfer"},
		"POST " + api.Root + "/transfers/{id}/resume":           {operate, "resume a transfer"},
		"PATCH " + api.Root + "/transfers/{id}":                 {operate, "change a transfer"},
		"POST " + api.Root + "/transfers/{id}/approve":          {operate, "approve a step"},
		"POST " + api.Root + "/transfers/{id}/reject":           {operate, "reject a step"},
		"DELETE " + api.Root + "/transfers/{id}":                {operate, "cancel a transfer"},
		"PUT " + api.Root + "/workers/{name}/state":             {operate, "set the state of a worker"},
		"PUT " + api.Root + "/workers/{name}/log-level":         {operate, "set the log level of a worker"},
		"PUT " + api.Root + "/queues/{name}/state":              {operate, "set the state of a queue"},
	}
}

// rightTo returns the right that a request needs. pattern is that of its route; empty: it
// has none, and is answered with an error.
func (g *guard) rightTo(r *http.Request, pattern string) right {
	for _, key := range []string{r.Method + " " + pattern, pattern} {
		if known, ok := g.rights[key]; ok {
			return known
		}
	}
	if pattern == "" {
		return right{role: accounts.Viewer}
	}
	return right{accounts.Operator, r.Method + " " + pattern}
}

// changes reports whether a request may change something.
func changes(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	return true
}
