package web

import (
	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/tasks"
)

// tab leads to one of the pages of a transfer.
type tab struct {
	Name, Href, Count string
	Current           bool
}

// tabsOf are the pages of a transfer; current is the last part of the address of one.
func tabsOf(opts *Options, t *tasks.Transfer, current string) []tab {
	base := "/transfers/" + t.UUID
	tabs := []tab{{Name: "Overview", Href: base}}
	results := t.Totals()
	if opts.Results != nil {
		failures := ""
		if n := results.Failures(); n > 0 {
			failures = humanize.Comma(n)
		}
		tabs = append(tabs, tab{Name: "Failures", Href: base + "/failures", Count: failures},
			tab{Name: "Results", Href: base + "/results", Count: humanize.Comma(results.Total())})
	}
	if opts.Files != nil {
		tabs = append(tabs, tab{Name: "Files", Href: base + "/files", Count: humanize.Comma(t.Files)})
	}
	if opts.Formats != nil {
		tabs = append(tabs, tab{Name: "Formats", Href: base + "/formats"})
	}
	if opts.Fixity != nil && opts.Files != nil && opts.Results != nil {
		tabs = append(tabs, tab{Name: "Fixity", Href: base + "/fixity"})
	}
	for i := range tabs {
		tabs[i].Current = tabs[i].Href == base && current == "" || tabs[i].Href == base+"/"+current
	}
	return tabs
}
