FROM scratch
COPY . /d/
