"""The one table of who may open and post to what; `test_permissions` holds every address against it."""

from __future__ import annotations

ROLES = ("builder", "approver", "auditor", "outsider", "anonymous", "administrator")
Rule = tuple[str, str]


def wanted(words: str) -> dict[str, str]:
    """What each role gets, of one half of a rule."""
    given = words.split()
    return dict(zip(ROLES, given if len(given) == len(ROLES) else [*given, given[2]], strict=True))


# What each role gets, in the order of ROLES. "login" is a redirect to the log-in page, "shown" a page, "moved" a
# redirect inside, 403, 404 and 405 what they say. First GET, then POST.
# An administrator, who comes last, gets what an auditor gets unless a row has a sixth word.
LIST: Rule = ("shown shown shown shown login", "405 405 405 405 405")
LOOK: Rule = ("shown shown shown 404 login", "405 405 405 405 405")
BUILD_NEW: Rule = ("shown 403 403 shown login", "shown 403 403 shown login")
EDIT: Rule = ("shown 403 403 404 login", "shown 403 403 404 login")
ACT: Rule = ("shown 403 403 404 login", "moved 403 403 404 login")
POST_ONLY: Rule = ("405 405 405 405 405", "moved 403 403 404 login")
TOKENS_ONLY: Rule = ("401 401 401 401 401", "401 401 401 401 401")
ADMINISTER: Rule = ("403 403 403 403 login shown", "403 403 403 403 login shown")
ADMINISTER_NOW: Rule = ("403 403 403 403 login shown", "403 403 403 403 login moved")
SHUT: Rule = ("404 404 404 404 404", "404 404 404 404 404")

PAGES: dict[str, Rule] = {
    "home": ("moved moved moved moved moved", "405 405 405 405 405"),
    "choose_team": ("405 405 405 405 405", "404 404 404 404 login"),
    "guide": LIST,
    "guide_page": LIST,
    "guide_picture": LIST,
    "workflows": LIST,
    "new_workflow": BUILD_NEW,
    "workflow": LOOK,
    "workflow_settings": EDIT,
    "delete_workflow": ACT,
    "deleted_workflows": LIST,
    "recipes": LIST,
    "recipe": BUILD_NEW,
    "import_workflow": BUILD_NEW,
    "export_workflow": LOOK,
    "restore_version": ACT,
    "take_back_workflow": POST_ONLY,
    "compare_versions": LOOK,
    "workflow_trigger": EDIT,
    "workflow_samples": ACT,
    "edit_sample": EDIT,
    "drop_sample": POST_ONLY,
    "choose_sample": POST_ONLY,
    "fetch_step": POST_ONLY,
    "take_columns": POST_ONLY,
    "hook_signature": ACT,
    "rotate_hook": ACT,
    "start_workflow": EDIT,
    "upload_file": EDIT,
    "start_rows": EDIT,
    "inbound": ("405 405 405 405 405", "404 404 404 404 404"),
    "api_tokens": ("shown shown shown shown login", "shown shown shown shown login"),
    "revoke_token": ("shown 404 404 404 login", "moved 404 404 404 login"),
    **dict.fromkeys(["api_workflows", "api_workflow", "api_start", "api_runs", "api_run", "api_schema"], TOKENS_ONLY),
    "workflow_filter": ("shown 403 403 404 login", "moved 403 403 404 login"),
    "evaluate_values": ("405 405 405 405 405", "shown 403 403 404 login"),
    "new_step": EDIT,
    "step": EDIT,
    "move_step": POST_ONLY,
    "place_step": EDIT,
    "duplicate_step": POST_ONLY,
    "copy_workflow": POST_ONLY,
    "put_back_step": POST_ONLY,
    "copy_step": EDIT,
    "add_path": ("405 405 405 405 405", "404 403 403 404 login"),
    "delete_step": ACT,
    "publish_workflow": ACT,
    "preview_workflow": POST_ONLY,
    "preview_step": POST_ONLY,
    "preview": LOOK,
    "backtest_workflow": EDIT,
    "backtest": LOOK,
    "stop_backtest": POST_ONLY,
    "backtest_file": LOOK,
    "preview_backtest_item": POST_ONLY,
    "activate_workflow": ACT,
    "pause_workflow": ACT,
    "look_now": POST_ONLY,
    "workflow_versions": LOOK,
    "workflow_version": LOOK,
    "lookup_tables": LIST,
    "new_lookup_table": BUILD_NEW,
    "lookup_table": LOOK,
    "edit_lookup_rows": ACT,
    "edit_lookup_columns": EDIT,
    "lookup_table_settings": EDIT,
    "archive_lookup_table": ACT,
    "import_lookup_table": EDIT,
    "export_lookup_table": LOOK,
    "lookup_versions": LOOK,
    "lookup_version": LOOK,
    "restore_lookup_version": ACT,
    "runs": LIST,
    "bulk": ("shown 403 403 shown login", "shown 403 403 shown login"),
    "batch": LOOK,
    "stop_batch": POST_ONLY,
    **dict.fromkeys(["documents", "documents_csv", "documents_xlsx", "documents_evidence"], LIST),
    "reconciliations": ("shown shown shown shown login shown", "shown shown 403 shown login 403"),
    "reconciliation": LOOK,
    "reconciliation_csv": LOOK,
    "stop_reconciliation": ("405 405 405 405 405 405", "moved moved 403 404 login 403"),
    **dict.fromkeys(["activity", "activity_csv", "activity_xlsx"], LIST),
    "check_record": ("405 405 405 405 405", "shown shown shown shown login"),
    "notices": LIST,
    "read_notice": POST_ONLY,
    "read_all_notices": ("405 405 405 405 405", "moved 403 403 moved login"),
    "workflow_safeguards": ("shown shown shown 404 login", EDIT[1]),
    "search": LIST,
    "approvals": LIST,
    "approval": ("shown shown shown 404 login", "shown shown shown 404 login"),
    "approve_several": ("405 405 405 405 405", "moved moved moved moved login"),
    **dict.fromkeys(["team_controls", "away"], ("shown shown shown shown login", "shown shown shown shown login")),
    "end_delegation": ("405 405 405 405 405", "403 403 403 404 login moved"),
    "publication": ("shown shown shown 404 login", "shown shown shown 404 login"),
    "policy": LIST,
    **dict.fromkeys(["change_policy", "policy_rule"], ADMINISTER),
    "policy_version": ("shown shown shown 404 login", "shown shown shown 404 login"),
    "try_policy": LOOK,
    "guards": ("shown shown shown shown login shown", "403 403 403 403 login shown"),
    "people": LIST,
    "person": LOOK,
    **dict.fromkeys(["invite_person", "second_factor", "change_person", "remove_person"], ADMINISTER),
    **dict.fromkeys(["renew_invitation", "sign_person_out", "end_holding"], ADMINISTER_NOW),
    "withdraw_invitation": ("405 405 405 405 405", "403 403 403 403 login moved"),
    "invitation": SHUT,
    "run": LOOK,
    "run_turns": LOOK,
    "run_turn": LOOK,
    "backup": LOOK,
    "run_evidence": LOOK,
    "way_out": EDIT,
    "undo_run": ("shown shown 403 404 login", "shown shown 403 404 login"),
    "run_by_marker": ("moved moved moved 404 login", "405 405 405 405 405"),
}

CONNECTIONS: dict[str, Rule] = {
    "connections": ("shown shown shown shown login", "405 405 405 405 login"),
    "connect": ("405 405 405 405 405", "moved 403 403 moved login"),
    "choose_accounts": ("shown 403 403 404 login", "400 403 403 404 login"),
    "withdraw_grant": POST_ONLY,
    "connection": ("shown shown shown 404 login", "405 405 405 405 login"),
    "refresh_connection": POST_ONLY,
    "freeze": EDIT,
    "thaw": POST_ONLY,
    "try_connection_now": POST_ONLY,
    "disconnect": ("shown 403 403 404 login", "moved 403 403 404 login"),
    "pinterest_callback": ("400 403 403 400 login", "405 405 405 405 405"),
    "xero_callback": ("400 403 403 400 login", "405 405 405 405 405"),
    "hook": ("405 405 405 405 405", "401 401 401 401 401"),
}

# Signing in, and one's own account: nothing of a team is behind these.
ACCOUNTS: dict[str, Rule] = {
    "account_login": ("moved moved moved moved shown", "moved moved moved moved shown"),
    "account_logout": ("shown shown shown shown login", "login login login login login"),
    "account_inactive": ("shown shown shown shown shown", "405 405 405 405 405"),
    "account_reauthenticate": ("shown shown shown shown login", "shown shown shown shown login"),
    "account_confirm_at_company": ("moved moved moved moved login", "405 405 405 405 login"),
    "account_change_password": ("shown shown shown shown login", "shown shown shown shown login"),
    "account_reset_password": ("shown shown shown shown shown", "shown shown shown shown shown"),
    "account_reset_password_done": ("shown shown shown shown shown", "405 405 405 405 405"),
    "account_reset_password_from_key": ("shown shown shown shown shown", "shown shown shown shown shown"),
    "account_reset_password_from_key_done": ("shown shown shown shown shown", "405 405 405 405 405"),
    "mfa_index": ("shown shown shown shown login", "405 405 405 405 login"),
    "mfa_authenticate": ("moved moved moved moved login", "moved moved moved moved login"),
    "mfa_reauthenticate": ("moved moved moved moved login", "moved moved moved moved login"),
    "mfa_activate_totp": ("shown shown shown shown login", "shown shown shown shown login"),
    "mfa_deactivate_totp": ("404 404 404 404 login", "404 404 404 404 login"),
    "mfa_view_recovery_codes": ("404 404 404 404 login", "405 405 405 405 login"),
    "mfa_generate_recovery_codes": ("shown shown shown shown login", "shown shown shown shown login"),
    "mfa_download_recovery_codes": ("404 404 404 404 login", "404 404 404 404 login"),
    "openid_connect_login": ("405 405 405 405 405", "404 404 404 404 404"),
    "openid_connect_callback": ("404 404 404 404 404", "405 405 405 405 405"),
    "account_signup": SHUT,
    "account_email": SHUT,
    "account_email_verification_sent": SHUT,
    "account_confirm_email": SHUT,
    "account_set_password": SHUT,
    "account_confirm_login_code": SHUT,
    "socialaccount_connections": SHUT,
    "socialaccount_signup": SHUT,
    "socialaccount_login_cancelled": SHUT,
    "socialaccount_login_error": SHUT,
}

ADMIN: dict[str, Rule] = {
    "admin:index": ("shown shown shown shown login", "shown shown shown shown login"),
    "admin:login": ("moved moved moved moved login", "moved moved moved moved login"),
    "admin:logout": ("405 405 405 405 moved", "login login login login moved"),
    "admin:password_change": ("moved moved moved moved login", "moved moved moved moved login"),
    "admin:password_change_done": ("shown shown shown shown login", "405 405 405 405 login"),
    "admin:search": ("shown shown shown shown login", "shown shown shown shown login"),
    "admin:autocomplete": ("403 403 403 403 login", "405 405 405 405 login"),
    "admin:jsi18n": ("shown shown shown shown login", "405 405 405 405 login"),
    "admin:view_on_site": ("404 404 404 404 login", "404 404 404 404 login"),
    "admin:app_list": ("shown shown shown shown login", "shown shown shown shown login"),
    "admin:auth_user_password_change": ("403 403 403 403 login", "403 403 403 403 login"),
    "admin: catch all": ("404 404 404 404 login", "404 404 404 404 login"),
}

NOBODY: Rule = ("403 403 403 403 login", "403 403 403 403 login")
# Django answers for rows that one may not see as for rows that are not there: back to the index with a message.
TEAM_ROWS: dict[str, Rule] = {
    "changelist": ("shown shown shown shown login", "shown shown shown shown login"),
    "add": NOBODY,
    "delete": NOBODY,
    "change": ("shown shown shown moved login", "403 403 403 403 login"),
    "history": ("shown shown shown moved login", "shown shown shown moved login"),
    "": ("moved moved moved moved login", "moved moved moved moved login"),
}
SUPERUSER_ROWS: dict[str, Rule] = dict.fromkeys(["changelist", "add", "delete", "change", "history"], NOBODY) | {
    "": TEAM_ROWS[""]
}
TEAM_MODELS = {
    "integrations_connection", "integrations_grant", "integrations_callbudget", "workflows_workflow",
    "workflows_workflowversion", "workflows_run", "workflows_steprun", "workflows_event", "workflows_triggerstate",
    "workflows_decision", "workflows_release", "workflows_lookuptable", "workflows_lookupversion",
    "workflows_lookuprow",
}  # fmt: skip
SUPERUSER_MODELS = {
    "integrations_team", "integrations_membership", "auth_user", "account_emailaddress", "django_q_ormq",
    "django_q_failure", "django_q_schedule", "workflows_beat",
}  # fmt: skip

# What is posted to these is done after a sign-in of the last minutes only.
RECENT_SIGN_IN = {
    "api_tokens", "rotate_hook", "hook_signature", "connect", "choose_accounts", "withdraw_grant", "disconnect",
    "invite_person", "second_factor", "renew_invitation", "change_person", "remove_person", "sign_person_out",
    "end_holding", "guards", "change_policy", "policy_version", "approval", "approve_several",
    "team_controls", "away", "end_delegation", "publication",
    "admin:auth_user_password_change",
    *(f"admin:{model}_{page}" for model in ("auth_user", "integrations_team", "integrations_membership")
      for page in ("add", "change", "delete")),
}  # fmt: skip

# Of these the test has no row, and Django then says so before it asks who is there.
ROWLESS_MODELS = SUPERUSER_MODELS - {"integrations_team", "integrations_membership", "auth_user"}

RULES: dict[str, Rule] = {**PAGES, **CONNECTIONS, **ACCOUNTS, **ADMIN}
for _model in TEAM_MODELS:
    RULES.update({f"admin:{_model}_{page}": rule for page, rule in TEAM_ROWS.items()})
for _model in SUPERUSER_MODELS:
    RULES.update({f"admin:{_model}_{page}": rule for page, rule in SUPERUSER_ROWS.items()})
for _model in ROWLESS_MODELS:
    RULES[f"admin:{_model}_history"] = TEAM_ROWS[""]
