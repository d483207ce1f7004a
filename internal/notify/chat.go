package notify

import (
	"encoding/json"
	"strings"

	"github.com/balerhq/baler/internal/egress"
)

// chatBody is the body of a message for an incoming webhook of Slack or Teams.
func chatBody(form egress.Form, text string) (string, error) {
	text = strings.TrimSpace(text)
	var payload any
	switch form {
	case egress.Teams: // an Adaptive Card, as Workflows and connectors of Teams take it
		payload = map[string]any{"type": "message", "attachments": []any{map[string]any{
			"contentType": "application/vnd.microsoft.card.adaptive",
			"content": map[string]any{
				"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
				"body": []any{map[string]any{"type": "TextBlock", "wrap": true, "text": teamsText(text)}},
			},
		}}}
	default: // Slack; Mattermost, Rocket.Chat and others take the same
		payload = map[string]string{"text": slackText(text)}
	}
	body, err := json.Marshal(payload)
	return string(body), err
}

// slackText escapes the characters that have a meaning in Slack, so that a file's name cannot
// call everybody or hide a link.
func slackText(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// teamsText escapes Markdown's links, and keeps the ends of lines.
func teamsText(text string) string {
	return strings.NewReplacer("[", `\[`, "]", `\]`, "\n", "\n\n").Replace(text)
}
