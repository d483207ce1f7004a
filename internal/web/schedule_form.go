package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/balerhq/baler/internal/schedule"
)

// scheduleForm is what a person fills in to add a schedule.
type scheduleForm struct{ Name, Cron, Zone, Recipe, Overlap, Queue, Paths string }

// mostPaths limits the paths of a schedule, as the API does.
const mostPaths = 1000

// add adds a schedule.
func (p *schedulesPage) add(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	err := readForm(r)
	f := r.PostForm
	form := scheduleForm{
		Name: strings.TrimSpace(f.Get("name")), Cron: strings.TrimSpace(f.Get("cron")), Zone: strings.TrimSpace(f.Get("zone")),
		Recipe: f.Get("recipe"), Overlap: f.Get("overlap"), Queue: strings.TrimSpace(f.Get("queue")), Paths: f.Get("paths"),
	}
	if err == nil {
		s := schedule.Schedule{
			Name: form.Name, Cron: form.Cron, Zone: form.Zone, Recipe: form.Recipe, Overlap: schedule.Overlap(form.Overlap), Queue: form.Queue,
		}
		for line := range strings.Lines(form.Paths) {
			if path := strings.TrimRight(line, "\r\n"); path != "" {
				s.Paths = append(s.Paths, path)
			}
		}
		if len(s.Paths) > mostPaths {
			err = wrongForm("a schedule has at most %d paths", mostPaths)
		} else {
			_, err = p.opts.Scheduler.AddSchedule(r.Context(), s)
		}
	}
	if err == nil {
		http.Redirect(w, r, "/schedules#"+url.PathEscape(form.Name), http.StatusSeeOther) // the audit log repeats it
		return
	}
	view := p.view(r)
	view.Form = form
	status, failed := p.sorry(r, err)
	view.Failed = failed
	if err := p.fill(r.Context(), &view); err != nil {
		status, view.Problem = p.sorry(r, err)
	}
	p.send(w, r, status, "layout", view)
}
