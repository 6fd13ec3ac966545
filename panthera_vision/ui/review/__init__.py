"""The review page: people look at suspicious photos one by one and decide."""
