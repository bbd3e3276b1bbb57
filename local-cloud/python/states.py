"""Step Functions: what moto's interpreter needs to run a state machine as its role, more than once, with task tokens.

- https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html (calls are made as the role)
- https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-wait-token (task tokens, time-outs)
- https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html (TaskTimedOut, InvalidToken)
- https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html (times are ISO 8601 strings)
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
import uuid
from datetime import datetime, timezone
from typing import Any

import boto3
from botocore.config import Config
from gateway import Gateway
from moto.core.config import default_user_config
from moto.core.exceptions import AWSError
from moto.stepfunctions import models as mocked
from moto.stepfunctions.exceptions import InvalidToken
from moto.stepfunctions.parser import models as executing
from moto.stepfunctions.parser.asl.component.state.exec import execute_state
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_callback as callbacks
from moto.stepfunctions.parser.asl.eval import program_state
from moto.stepfunctions.parser.asl.eval.callback import callback as tokens
from moto.stepfunctions.parser.asl.utils import boto_client
from moto.stepfunctions.parser.backend import execution as executions

CALL_SECONDS = 960
"""A little more than Lambda's longest run."""
TOKEN_POLL_SECONDS = 0.1


class Clients:
    """SDK clients by service, Region and role. They are thread-safe, and making one costs tens of milliseconds."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._clients: dict[tuple[str, str, str, str], Any] = {}
        self._lock = threading.Lock()

    def get(self, region: str, service: str, state_credentials: Any = None) -> Any:
        if state_credentials is None:
            raise RuntimeError(f"A state machine calls {service} without a role")
        session = self._gateway.credentials(state_credentials.role_arn)
        key = (service, region, state_credentials.role_arn, session["aws_access_key_id"])
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._make(region, service, session)
            return self._clients[key]

    def _make(self, region: str, service: str, session: dict[str, str]) -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self._gateway.url,
            config=Config(
                parameter_validation=False,
                retries={"max_attempts": 0, "total_max_attempts": 1},
                connect_timeout=10,
                read_timeout=CALL_SECONDS,
                max_pool_connections=64,
            ),
            **session,
        )


def _call_as_role(gateway: Gateway) -> None:
    get = Clients(gateway).get

    def boto_client_for(region: str, service: str, state_credentials: Any = None) -> Any:
        return get(region, service, state_credentials)

    original = boto_client.boto_client_for
    for module in list(sys.modules.values()):
        if getattr(module, "boto_client_for", None) is original:
            module.boto_client_for = boto_client_for  # type: ignore[attr-defined]


def _execute_always() -> None:
    """Also state machines that CloudFormation makes go to the backend that executes."""
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    mocked.stepfunctions_backends = executing.stepfunctions_parser_backends  # type: ignore[assignment]

    def definition_only(self: mocked.StateMachine, _: Any) -> mocked.StateMachine:
        """What an execution keeps of its state machine. A deep copy would copy the executions before it, and their locks."""
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__, executions=[])
        return copy

    mocked.StateMachine.__deepcopy__ = definition_only  # type: ignore[attr-defined]


def _name_executions() -> None:
    start = executing.StepFunctionsParserBackend.start_execution
    lock = threading.Lock()

    def start_execution(self: Any, state_machine_arn: str, name: str | None = None, execution_input: str | None = None, **rest: Any) -> Any:
        if name:
            self._validate_name(name)
        with lock:  # The same name twice is one execution, also when both requests come at once.
            return start(self, state_machine_arn, name or str(uuid.uuid4()), execution_input, **rest)

    def details(self: executions.Execution) -> executions.ExecutionDetails:
        started = self.start_date.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        return executions.ExecutionDetails(arn=self.exec_arn, name=self.name, role_arn=self.role_arn, inpt=self.input_data, start_time=started)

    executing.StepFunctionsParserBackend.start_execution = start_execution  # type: ignore[method-assign]
    executions.Execution.get_start_execution_details = details  # type: ignore[method-assign]


def _give_json() -> None:
    """An execution's output is JSON, also when it is a string, and is there as soon as the status says so."""
    reflect = executions.BaseExecutionWorkerCommunication._reflect_execution_status

    def reflected(self: Any) -> None:
        env = self.execution.exec_worker.env
        if isinstance(env.program_state(), program_state.ProgramEnded):
            self.execution.output = env.states.get_input()
        reflect(self)

    def assign(self: Any, value: Any) -> None:
        self.__dict__["output"] = json.dumps(value) if isinstance(value, str) else value

    executions.Execution.output = property(lambda self: self.__dict__.get("output"), assign)  # type: ignore[assignment]
    executions.BaseExecutionWorkerCommunication._reflect_execution_status = reflected  # type: ignore[method-assign]


class TaskTimedOut(AWSError):
    TYPE = "TaskTimedOut"
    STATUS = 400


class _Endpoint(tokens.CallbackEndpoint):
    """A task token that is used once, and not after its task's time-out."""

    def __init__(self, callback_id: str) -> None:
        super().__init__(callback_id)
        self._mutex = threading.Lock()
        self.closed = False

    def notify(self, outcome: tokens.CallbackOutcome) -> None:
        with self._mutex:
            if self.closed or self._outcome is not None:
                raise TaskTimedOut("Task Timed Out: 'Provided task does not exist anymore'")
            super().notify(outcome)

    def interrupt_all(self) -> None:
        with self._mutex:
            self.closed = True
        super().interrupt_all()


def _end_tokens_with_their_task() -> None:
    tokens.CallbackEndpoint = _Endpoint  # type: ignore[misc]
    heartbeat = callbacks.StateTaskServiceCallback._eval_wait_for_task_token

    def wait(self: Any, env: Any, timeout_seconds: int, callback_endpoint: Any, heartbeat_endpoint: Any) -> Any:
        if heartbeat_endpoint is not None:
            return heartbeat(self, env, timeout_seconds, callback_endpoint, heartbeat_endpoint)
        deadline = time.monotonic() + timeout_seconds
        # `env` ends when the state's own clock, which started before the call, runs out.
        while env.is_running() and time.monotonic() < deadline:
            outcome = callback_endpoint.wait(timeout=TOKEN_POLL_SECONDS)
            if outcome is not None:
                return outcome
        callback_endpoint.interrupt_all()
        return callback_endpoint.get_outcome() or tokens.CallbackOutcomeTimedOut(callback_id=callback_endpoint.callback_id)

    attempt = execute_state.ExecutionState._evaluate_with_timeout

    def attempt_with_its_own_token(self: Any, env: Any) -> None:
        """A retry has another token, and the token of an attempt ends with it."""
        data = env.states.context_object.context_object_data
        pool = env.callback_pool_manager
        if "Task" in data and pool.get(data["Task"]["Token"]).closed:
            pool.add(env.states.context_object.update_task_token())
        try:
            attempt(self, env)
        finally:
            if "Task" in data:
                pool.get(data["Task"]["Token"]).interrupt_all()

    execute_state.ExecutionState._evaluate_with_timeout = attempt_with_its_own_token  # type: ignore[method-assign]
    callbacks.StateTaskServiceCallback._eval_wait_for_task_token = wait  # type: ignore[method-assign]

    def find(self: Any, token: str) -> Any:
        for execution in self._get_executions():
            env = execution.exec_worker.env if execution.exec_worker else None
            endpoint = env.callback_pool_manager.get(token) if env else None
            if endpoint is not None:
                return endpoint
        raise InvalidToken(f"'{token}'")

    def success(self: Any, task_token: str, outcome: str) -> None:
        find(self, task_token).notify(tokens.CallbackOutcomeSuccess(callback_id=task_token, output=outcome))

    def failure(self: Any, task_token: str, error: str | None = None, cause: str | None = None) -> None:
        find(self, task_token).notify(tokens.CallbackOutcomeFailure(callback_id=task_token, error=error, cause=cause))

    backend: Any = executing.StepFunctionsParserBackend
    backend.send_task_success = success
    backend.send_task_failure = failure


def _stop_at_once() -> None:
    """StopExecution answers with the time of the stop, also when a task is still running and its end is no longer heard."""

    def stop_execution(self: Any, execution_arn: str) -> Any:
        execution = self.describe_execution(execution_arn)
        if execution.status == executions.ExecutionStatus.RUNNING:
            now = datetime.now(timezone.utc)
            execution.stop(stop_date=now, error=None, cause=None)
            execution.exec_status, execution.stop_date = executions.ExecutionStatus.ABORTED, now
        return execution

    executing.StepFunctionsParserBackend.stop_execution = stop_execution  # type: ignore[method-assign]


def install(gateway: Gateway) -> None:
    # A state that fails is the state machine's business.
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)
    _call_as_role(gateway)
    _execute_always()
    _name_executions()
    _give_json()
    _end_tokens_with_their_task()
    _stop_at_once()
