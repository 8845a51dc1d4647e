# Two commands do everything: `make lab` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export LAB_NAME ?= lab
export LAB_PROFILE ?= full
export LAB_NETWORK ?= 10.77.0
export LAB_WORLD ?=
LAB_INVENTORY := inventories/lab/$(if $(filter small,$(LAB_PROFILE)),small.yml,hosts.yml)

.PHONY: help
help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | sed -E 's/:[^#]*## /\t/' | expand -t 16

.PHONY: venv venv-dev
venv:  ## the controller's Python environment, .venv
	@tools/bootstrap.sh run
venv-dev:
	@tools/bootstrap.sh dev

.PHONY: lab lab-down lab-status
lab: venv  ## boot the lab, roll site.yml out on it, call a tool through the load balancer
	@ansible-playbook playbooks/lab.yml -i $(LAB_INVENTORY)
lab-down: venv  ## remove the lab, whole
	@ansible-playbook playbooks/lab_down.yml -i $(LAB_INVENTORY)
lab-status: venv  ## what the lab's hosts are doing
	@ansible-playbook playbooks/lab_status.yml -i $(LAB_INVENTORY)
