"""The configuration: what can be set (`schema`), reading it with every problem at its line (`load`), rules across keys (`checks`)."""
