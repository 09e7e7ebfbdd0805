"""A session that remembers the inputs of its runs, and may look at each before it begins."""

import threading


class Recording:
    """Takes the place of a model's session: `model.model.session = Recording(model.model.session)`."""

    def __init__(self, session, look=lambda _: None):
        self._session = session
        self._look = look
        self._lock = threading.Lock()
        self.inputs = []

    def run(self, names, inputs, *options):
        with self._lock:
            self.inputs.append({name: array.copy() for name, array in inputs.items()})
        self._look(inputs)
        return self._session.run(names, inputs, *options)
