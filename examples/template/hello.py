"""One actor that says hello: the smallest application, to start your own from."""

from eactors import Actor


class Hello(Actor, name="hello"):
    params = {"greeting": "hello", "times": 3}

    def constructor(self) -> None:
        self.said = 0

    def body(self) -> bool:
        self.said += 1
        print(f"{self.name}: {self.params['greeting']} {self.said}")
        if self.said == self.params["times"]:
            self.stop()
        return True  # call me again at once
