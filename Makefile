# Two commands do everything: `make lab` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export LAB_NAME ?= lab
$(if $(filter-out full small database,$(LAB_PROFILE)),$(error LAB_PROFILE is $(LAB_PROFILE): allowed are full, small, database))
export LAB_NETWORK ?= 10.77.0
export LAB_WORLD := $(if $(LAB_WORLD),$(abspath $(LAB_WORLD)))
export LAB_DATABASE
LAB_INVENTORY := inventories/lab/$(if $(filter small database,$(LAB_PROFILE)),$(LAB_PROFILE),hosts).yml

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
	@python -m tools.lab_report
lab-down: venv  ## remove the lab, whole
	@ansible-playbook playbooks/lab_down.yml -i $(LAB_INVENTORY)
lab-status: venv  ## what the lab's hosts are doing
	@python -m tools.lab_status

# Two at a time, as CI has two processors; the whole-cluster tests stay together on one worker (tests/conftest.py).
PYTEST := python -m pytest -q -n 2 --dist loadgroup --durations 20 --durations-min 20

.PHONY: lint unit test-fast molecule test-cluster test
lint: venv-dev
	@tools/lint.sh
unit: venv-dev
	@$(PYTEST) -m "not long" tests/unit server/tests
test-fast: lint unit  ## linters, types and unit tests, against a real MariaDB and Redis on loopback
molecule: venv-dev  ## one Molecule scenario per role (SCENARIO=mysql for one of them)
	@$(PYTEST) tests/molecule $(if $(SCENARIO),-k $(SCENARIO))
test-cluster: venv-dev  ## the whole site and its faults, on labs of their own (MariaDB's, Oracle MySQL's), and long unit tests
	@$(PYTEST) tests/integration
	@$(PYTEST) -m long tests/unit server/tests
	@TEST_LAB_DATABASE=mysql TEST_LAB_PROFILE=database $(PYTEST) tests/integration/test_database_roles.py tests/integration/test_database_faults.py
test: lint  ## everything that CI runs: all but what is marked long, see test-cluster and molecule
	@$(PYTEST) -m "not long" tests/integration tests/molecule tests/unit server/tests

.PHONY: bench-rollout bench-server bench-edge
bench-rollout: venv-dev  ## first and second run of site.yml against a parallel shell script
	@python tests/bench/rollout.py
bench-server: venv-dev  ## our server against the raw ASGI floor, the official SDK and fastmcp (QUICK=1 for a short look)
	@command -v wrk >/dev/null || apt-get install -y -qq wrk >/dev/null
	@python tests/bench/server.py
bench-edge: venv-dev  ## what the edge of the running lab adds to a call, and a thousand connections (QUICK=1)
	@command -v wrk >/dev/null || apt-get install -y -qq wrk >/dev/null
	@python tests/bench/edge.py
