"""All answers of a report in its page: searched, filtered, read side by side and rated, without a server."""
