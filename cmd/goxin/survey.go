package main

import (
	"sync"
	"time"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// A survey that is over at once is nothing to speak of; one that is not says how
// far it is, and then now and then. The table it fills is for a screen.
const (
	surveySlow  = time.Second
	surveyEvery = 5 * time.Second
)

// slowSurvey tells a person how far a survey is.
type slowSurvey struct {
	say func(lang.Text)

	mu    sync.Mutex
	step  string    // whose survey is under way; "": none
	text  lang.Text // what it said last
	told  lang.Text // what of it was told
	timer *time.Timer
}

// hear takes every event: what is no survey ends it.
func (s *slowSurvey) hear(ev engine.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ev.What != engine.Surveying {
		s.stop()
		return
	}
	if ev.Step != s.step {
		s.stop()
		s.step = ev.Step
		s.timer = time.AfterFunc(surveySlow, func() { s.due(ev.Step) })
	}
	s.text = ev.Text
}

func (s *slowSurvey) stop() {
	if s.timer != nil {
		s.timer.Stop()
	}
	s.step, s.text, s.told = "", lang.Text{}, lang.Text{}
}

// due tells what there is to tell, once.
func (s *slowSurvey) due(step string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.step != step {
		return
	}
	if !s.text.Empty() && s.text != s.told {
		s.told = s.text
		s.say(s.text)
	}
	s.timer.Reset(surveyEvery)
}
