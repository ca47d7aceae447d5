"""What Salesforce made of our writes, with the stand-in of Heroku Connect."""

from __future__ import annotations
