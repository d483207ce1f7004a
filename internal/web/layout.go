package web

// layout has the values that every page shows around its content.
type layout struct {
	Title, Version string
	Monitor        bool // whether to link to the monitor
	CanSubmit      bool
	Nav            []navEntry
	Section        string // the address of the current entry
}

// navEntry is a page that all others link to.
type navEntry struct{ Name, Href string }

func layoutOf(opts *Options, section string) layout {
	l := layout{Title: opts.Title, Version: opts.Version, Monitor: opts.Redis != nil, CanSubmit: opts.Starter != nil, Section: section}
	l.Nav = append(l.Nav, navEntry{"Transfers", "/"})
	if opts.System != nil {
		l.Nav = append(l.Nav, navEntry{"Recipes", "/recipes"}, navEntry{"Workers", "/workers"})
	}
	if opts.Letters != nil {
		l.Nav = append(l.Nav, navEntry{"Dead letters", "/dead-letters"})
	}
	if opts.Scheduler != nil {
		l.Nav = append(l.Nav, navEntry{"Schedules", "/schedules"})
	}
	return l
}
