package media

import (
	"os/exec"
	"syscall"
)

// leash has a process killed when this one is gone, however it went.
func leash(run *exec.Cmd) { run.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
