package cli

import "github.com/balerhq/baler/internal/bench"

// judged adds the results of the targets, unless the bench was interrupted.
func (p *program) judged(f *findings, targets []bench.Target, err error) (*findings, error) {
	if err != nil {
		return f, err
	}
	f.add("Targets", targetTable(targets))
	return f, p.targetLines(targets)
}

func targetTable(targets []bench.Target) *table {
	list := newTable(words("TARGET"), numbers("WANTED"), numbers("GOT"), words(""))
	for _, t := range targets {
		met := "met"
		if !t.Met {
			met = "missed"
		}
		list.row(t.Name, ratio(t.Want), ratio(t.Got), met)
	}
	return list
}

// targetLines prints targets in JSON.
func (p *program) targetLines(targets []bench.Target) error {
	if !p.json {
		return nil
	}
	for _, t := range targets {
		if err := p.object(t); err != nil {
			return err
		}
	}
	return nil
}
