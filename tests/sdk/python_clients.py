"""One of Python's official libraries through the gateway: the questions of tests/sdk/python.test.mjs, asked
as its documentation has them, with only the base URL changed. Prints what came back as JSON."""
import json
import sys

LIBRARY, URL, KEY, MODEL = sys.argv[1:5]
QUESTION = "What is the weather in Paris and Rome?"
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
              "additionalProperties": False}
CITY = {"type": "object", "properties": {"name": {"type": "string"}, "people": {"type": "integer"}},
        "required": ["name", "people"], "additionalProperties": False}
PIXEL = ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==")


def sunny(arguments):
    return f"{arguments['city']} is sunny"


def by_openai():
    import openai
    client = openai.OpenAI(api_key=KEY, base_url=f"{URL}/v1", max_retries=0)
    tools = [{"type": "function", "function": {"name": "get_weather", "description": "The weather of a city",
                                               "parameters": PARAMETERS}}]

    def ask(content, **more):
        messages = content if isinstance(content, list) and "role" in content[0] else \
            [{"role": "user", "content": content}]
        return client.chat.completions.create(model=MODEL, max_tokens=200, messages=messages, **more)

    def status(content):
        try:
            ask(content)
        except openai.APIStatusError as e:
            return {"status": e.status_code, "message": e.message}
        return {"status": 200, "message": ""}

    text = ask("Hello")
    pieces = [c.choices[0].delta.content or "" for c in ask("Hello", stream=True) if c.choices]
    asked = ask(QUESTION, tools=tools).choices[0].message
    results = [{"role": "tool", "tool_call_id": c.id, "content": sunny(json.loads(c.function.arguments))}
               for c in asked.tool_calls]
    after = ask([{"role": "user", "content": QUESTION}, asked.model_dump(exclude_none=True), *results], tools=tools)
    structured = ask("Which city?", response_format={
        "type": "json_schema", "json_schema": {"name": "city", "strict": True, "schema": CITY}})
    image = ask([{"type": "text", "text": "What is it?"},
                 {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}])
    left = 0
    with ask("Be slow", stream=True) as stream:
        for c in stream:
            left += bool(c.choices and c.choices[0].delta.content)
            if left == 3:
                break
    return {
        "text": {"text": text.choices[0].message.content, "input": text.usage.prompt_tokens,
                 "output": text.usage.completion_tokens},
        "stream": "".join(pieces),
        "calls": [json.loads(c.function.arguments)["city"] for c in asked.tool_calls],
        "after": after.choices[0].message.content,
        "structured": structured.choices[0].message.content,
        "image": image.choices[0].message.content,
        "refused": status("Please fail"), "busy": status("You are busy")["status"], "left": left,
    }


def by_anthropic():
    import anthropic
    client = anthropic.Anthropic(api_key=KEY, base_url=URL, max_retries=0)
    tools = [{"name": "get_weather", "description": "The weather of a city", "input_schema": PARAMETERS}]

    def body(content, **more):
        messages = content if isinstance(content, list) and "role" in content[0] else \
            [{"role": "user", "content": content}]
        return {"model": MODEL, "max_tokens": 200, "messages": messages, **more}

    def ask(content, **more):
        return client.messages.create(**body(content, **more))

    def said(message):
        return "".join(b.text for b in message.content if b.type == "text")

    def status(content):
        try:
            ask(content)
        except anthropic.APIStatusError as e:
            return {"status": e.status_code, "message": e.message}
        return {"status": 200, "message": ""}

    text = ask("Hello")
    with client.messages.stream(**body("Hello")) as stream:
        streamed = "".join(stream.text_stream)
    asked = ask(QUESTION, tools=tools)
    calls = [b for b in asked.content if b.type == "tool_use"]
    results = [{"type": "tool_result", "tool_use_id": b.id, "content": sunny(b.input)} for b in calls]
    after = ask([{"role": "user", "content": QUESTION},
                 {"role": "assistant", "content": [{"type": "tool_use", "id": b.id, "name": b.name,
                                                    "input": b.input} for b in calls]},
                 {"role": "user", "content": results}], tools=tools)
    structured = ask("Which city?", output_config={"format": {"type": "json_schema", "schema": CITY}})
    image = ask([{"type": "text", "text": "What is it?"},
                 {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}])
    left = 0
    with client.messages.stream(**body("Be slow")) as stream:
        for _ in stream.text_stream:
            left += 1
            if left == 3:
                break
    return {
        "text": {"text": said(text), "input": text.usage.input_tokens, "output": text.usage.output_tokens},
        "stream": streamed, "calls": [b.input["city"] for b in calls], "after": said(after),
        "structured": said(structured), "image": said(image),
        "refused": status("Please fail"), "busy": status("You are busy")["status"], "left": left,
    }


def videos_by_openai():
    import openai
    client = openai.OpenAI(api_key=KEY, base_url=f"{URL}/v1", max_retries=0)
    made = client.videos.create_and_poll(model=MODEL, prompt="A cat", seconds="8", poll_interval_ms=500)
    film = client.videos.download_content(made.id).read()
    failed = client.videos.create_and_poll(model=MODEL, prompt="Please fail", seconds="4", poll_interval_ms=500)
    listed = [v.id for v in client.videos.list(limit=10)]
    deleted = client.videos.delete(made.id)
    try:
        client.videos.retrieve(made.id)
        gone = 200
    except openai.NotFoundError as e:
        gone = e.status_code
    return {"status": made.status, "seconds": made.seconds, "film": film[4:8].decode(), "bytes": len(film),
            "failed": [failed.status, failed.error.code], "listed": listed == [failed.id, made.id],
            "deleted": deleted.deleted, "gone": gone}


print(json.dumps({"openai": by_openai, "anthropic": by_anthropic, "videos": videos_by_openai}[LIBRARY]()))
