"""Accounts of the city's own OpenID Connect provider: the authorization code flow with PKCE.

settings_checks.py  what the settings must keep to
fetch.py            asks the provider, and nobody else
provider.py         its discovery document and keys, kept for a while
attempt.py          one login under way, as a signed cookie holds it
id_token.py         who has signed what
roles.py            what the provider says somebody is, as roles of ours
admission.py        the account of whoever the provider has sent
flow.py             the way there and back
"""
