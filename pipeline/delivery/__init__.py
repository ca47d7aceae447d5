"""What Salesforce made of our writes, as the trigger logs of Heroku Connect tell it."""

from __future__ import annotations
