package cli

import (
	"strings"

	"github.com/balerhq/baler/handlers"
)

// handlerPage is what a handler's registration says, in JSON.
type handlerPage struct {
	handlerLine

	Args  []handlerArg  `json:"arguments"`
	Facts []handlerFact `json:"facts"`
	Codes []handlerCode `json:"codes"`
}

type handlerArg struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Default string `json:"default"`
	Text    string `json:"text"`
}

type handlerFact struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

type handlerCode struct {
	Code    string `json:"code"`
	Outcome string `json:"outcome"`
	Text    string `json:"text"`
}

func newHandlerPage(r *handlers.Registration) handlerPage {
	page := handlerPage{
		handlerLine: handlerLine{"handler", r.Name, "step", r.Description},
		Args:        []handlerArg{}, Facts: []handlerFact{}, Codes: []handlerCode{},
	}
	if r.Finalizer != nil {
		page.Kind = "final step"
	}
	for _, a := range r.Docs.Args {
		page.Args = append(page.Args, handlerArg(a))
	}
	for _, f := range r.Docs.Facts {
		page.Facts = append(page.Facts, handlerFact(f))
	}
	for _, c := range r.Docs.Codes {
		page.Codes = append(page.Codes, handlerCode(c))
	}
	return page
}

// showReference shows the same for people.
func (p *program) showReference(r *handlers.Registration) {
	page := newHandlerPage(r)
	p.printf("%s (%s): %s", page.Handler, page.Kind, page.Description)
	plain := func(text string) string { return strings.ReplaceAll(text, "`", "") }
	show := func(rows int, list *table, add func(i int)) {
		if rows == 0 {
			return
		}
		p.printf("")
		for i := range rows {
			add(i)
		}
		list.within(tableWidth(p.stdout)).write(p.stdout)
	}
	args := newTable(words("WITH"), words("TYPE"), words("DEFAULT"), column{title: "", shrink: wrap})
	show(len(page.Args), args, func(i int) {
		a := page.Args[i]
		args.row(a.Name, a.Type, plain(a.Default), plain(a.Text))
	})
	facts := newTable(words("FACT"), column{title: "", shrink: wrap})
	show(len(page.Facts), facts, func(i int) { facts.row(page.Facts[i].Name, plain(page.Facts[i].Text)) })
	codes := newTable(words("CODE"), words("OUTCOME"), column{title: "", shrink: wrap})
	show(len(page.Codes), codes, func(i int) {
		c := page.Codes[i]
		codes.row(c.Code, plain(c.Outcome), plain(c.Text))
	})
}
