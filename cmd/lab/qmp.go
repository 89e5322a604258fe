package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// monitor runs one command of QEMU's monitor and returns what it printed; the
// snapshot commands print nothing but errors.
func monitor(socket, command string, limit time.Duration) (string, error) {
	conn, err := net.DialTimeout("unix", socket, 5*time.Second)
	if err != nil {
		return "", fmt.Errorf("cannot reach QEMU: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(limit)); err != nil {
		return "", err
	}
	in, out := json.NewDecoder(conn), json.NewEncoder(conn)
	type arguments struct {
		Line string `json:"command-line"`
	}
	requests := []any{
		map[string]any{"execute": "qmp_capabilities"},
		map[string]any{"execute": "human-monitor-command", "arguments": arguments{command}},
	}
	var greeting json.RawMessage
	if err := in.Decode(&greeting); err != nil {
		return "", fmt.Errorf("cannot speak with QEMU: %w", err)
	}
	var text string
	for _, r := range requests {
		if err := out.Encode(r); err != nil {
			return "", err
		}
		answer, err := reply(in)
		if err != nil {
			return "", fmt.Errorf("cannot %s: %w", command, err)
		}
		_ = json.Unmarshal(answer, &text)
	}
	return strings.TrimSpace(text), nil
}

// reply skips events.
func reply(in *json.Decoder) (json.RawMessage, error) {
	for {
		var m struct {
			Return json.RawMessage `json:"return"`
			Error  *struct {
				Desc string `json:"desc"`
			} `json:"error"`
		}
		if err := in.Decode(&m); err != nil {
			return nil, err
		}
		if m.Error != nil {
			return nil, errors.New(m.Error.Desc)
		}
		if m.Return != nil {
			return m.Return, nil
		}
	}
}
